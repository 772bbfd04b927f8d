// Which layers run together as one fused op: the first half of the fused lowering, whose second half (pass.h) binds memory.
// Another lowering, such as a library call a layer, stands beside these two files and reads the same plan.
#pragma once
#include <vector>

#include "network/plan.h"

namespace fer {

// A value as readers of the fused network see it: batch norm and ReLU are applied while loading what lies in memory.
struct Seen {
  int stored = -1;  // the value in memory
  int norm = -1;    // index of the batch norm pending on it, among all; -1: none
  bool relu = false;
};

enum class FusedKind { kConvolution, kSeparable, kShortcut, kPoolAdd, kHead };

struct FusedOp {
  FusedKind kind;
  Seen in, side = {};             // side: the addend of a pool-add
  int out;                        // the value left in memory: raw where a batch norm follows
  int inner = -1;                 // separable: the depthwise result
  int norm = -1;                  // the batch norm of `out`
  std::vector<int> tensors = {};  // weights and biases, in the order of the layers
};

struct BatchNormSlots {
  size_t gamma, beta;                // within the parameters
  size_t running_mean, running_var;  // within the running statistics
  int channels;                      // padded
  size_t memory;                     // channels of the batch norms before this one
};

struct Fusion {
  std::vector<FusedOp> ops;  // in the order of a forward pass
  std::vector<Seen> seen;    // of every value
  std::vector<BatchNormSlots> norms;
  size_t norm_channels = 0;  // of all
};

// Throws ERR_FER_NATIVE for layers that no fused op does.
Fusion fuse(const Plan& plan);

}  // namespace fer
