// What a device must implement: memory, and running the ops of ops.h.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "ops.h"

namespace fer {

// Ops that are run again and again.
class Program {
 public:
  virtual ~Program() = default;
  virtual void run() = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string description() const = 0;
  virtual int threads() const = 0;
  virtual int channel_alignment() const = 0;
  // Whether a separable convolution's backward wants the depthwise result `d` kept; where not, d is null and formed again.
  virtual bool keeps_depthwise() const = 0;

  // Whether activations and gradients of a network whose layers have `fewest` channels at least are to lie in memory as bf16.
  virtual bool keeps_half(int fewest) const {
    (void)fewest;
    return false;
  }

  // Memory. `allocate` zero-fills and throws ERR_FER_OUT_OF_MEMORY; freed by `release`.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* pointer) = 0;
  virtual size_t free_bytes() const = 0;  // what could be allocated now
  virtual void upload(void* device, const void* host, size_t bytes) = 0;
  virtual void download(void* host, const void* device, size_t bytes) = 0;
  virtual void copy(void* to, const void* from, size_t bytes) = 0;
  virtual void zero(void* device, size_t bytes) = 0;

  // True where ops return before they are done; `download` waits for all of them.
  virtual bool asynchronous() const = 0;
  virtual void run(const Op& op) = 0;
  void run(std::span<const Op> ops) {
    for (const Op& op : ops) run(op);
  }
  // A copy of `ops` to be run again and again; what they point to stays where it is.
  virtual std::unique_ptr<Program> record(std::span<const Op> ops) = 0;

  // Runs `body(lane, backend)` for every lane 0..lanes-1, each with a backend of its own to submit to: inference
  // on the CPU goes image by image through the whole network, so that its activations stay in cache.
  virtual int lanes() const = 0;
  // Images a lane should carry at once.
  virtual int inference_batch() const = 0;
  virtual void for_each_lane(const std::function<void(int lane, Backend& backend)>& body) = 0;
};

// What convolutions multiply in. Weights, statistics, gradients of weights and the optimiser are float32 in every mode.
enum class Precision { kFp32, kTf32, kBf16 };

// Plain data: it crosses to plug-ins.
struct DeviceOptions {
  const char* name = "";                   // what messages call the device; the caller's, read while a backend is made
  int threads = 0;                         // of the CPU; 0: one a core that this process may use
  Precision precision = Precision::kFp32;  // the CPU has no tf32
};

}  // namespace fer
