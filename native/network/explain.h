// Why a network decides as it does: the gradient of one class's logit at a named layer, with inference's batch-norm
// constants, and what Grad-CAM makes of it.
//
// Layers are the plan's named values: "input", "stem.1" and "stem.2" (after batch norm and ReLU), "modules.0" and on (a module's
// sum; it has no ReLU).
#pragma once
#include <string>
#include <vector>

#include "network/network.h"

namespace fer {

struct ExplainRequest {
  std::string layer;
  int target = -1;      // class; -1: the one with the largest logit
  bool guided = false;  // guided backpropagation: a ReLU hands on positive gradients only
};

struct Sensitivity {
  std::vector<float> logits;
  int target;
  int size, channels;                       // of the layer
  std::vector<float> activation, gradient;  // [size][size][channels]
};

// `image` [size*size] in host memory. Takes memory for one image's forward and backward pass and gives it back.
// Throws ERR_FER_ARGUMENT for a layer or class that the network does not have.
Sensitivity explain(Network& network, const uint8_t* image, int size, const ExplainRequest& request);

// Grad-CAM (Selvaraju et al., 2017): channels weighted by their mean gradient, summed, negative evidence cut off. [size][size]
std::vector<float> grad_cam(const Sensitivity& sensitivity);

}  // namespace fer
