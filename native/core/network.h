// Parameters and running statistics of one Mini_Xception on one backend, and its forward passes.
#pragma once
#include <memory>
#include <vector>

#include "backend.h"
#include "core/buffer.h"
#include "core/plan.h"

namespace fer {

// Activations of a batch: what a forward pass writes. Training keeps what backward needs; inference reuses.
struct Activations {
  Activations() = default;
  Activations(Backend& backend, const Plan& plan, int batch, bool training);

  struct Module {
    float *d1, *z1, *d2, *z2, *shortcut_z, *out;
    uint8_t* argmax;
  };
  int batch = 0;
  float *x = nullptr, *stem_z[2] = {}, *taps = nullptr, *logits = nullptr;
  std::vector<Module> modules;
  size_t bytes() const { return floats_.bytes() + bytes_.bytes(); }

 private:
  Buffer<float> floats_;
  Buffer<uint8_t> bytes_;
};

class Network {
 public:
  // Weights as PyTorch's default initialisation draws them (uniform, bound 1/sqrt(fan in)), from Philox.
  Network(const Spec& spec, std::unique_ptr<Backend> backend, uint64_t seed);

  const Plan& plan() const { return plan_; }
  Backend& backend() { return *backend_; }
  float* parameters() const { return parameters_.data(); }
  float* statistics() const { return statistics_.data(); }

  std::vector<float> read(const TensorInfo& tensor) const;  // in PyTorch's layout
  void write(const TensorInfo& tensor, const std::vector<float>& values);
  // The same for memory laid out like the parameters or statistics (moments, averages).
  std::vector<float> read_from(const float* base, const TensorInfo& tensor) const;
  void write_to(float* base, const TensorInfo& tensor, const std::vector<float>& values) const;
  const TensorInfo& tensor(const std::string& name) const;

  // Batch norm `slots` as the ops want it.
  BatchNorm batch_norm(const BatchNormSlots& slots, float* gradients) const;

  // Forward through the whole network from `activations.x`. `norms` comes from batch_norms().
  std::vector<BatchNorm> batch_norms(float* gradients) const;
  static void forward(Backend& backend, const Plan& plan, const float* parameters, std::vector<BatchNorm>& norms, const Activations& activations,
                      int n, bool training);

  // Logits [n][classes] of rows of resident images [size*size]; `flip` mirrors them first.
  std::vector<float> infer(const uint8_t* images, int size, const uint32_t* rows, size_t n, bool flip);
  size_t bytes() const;

 private:
  Plan plan_;
  std::unique_ptr<Backend> backend_;
  Buffer<float> parameters_, statistics_, norm_memory_;
  // What one lane of inference works on; `staged` holds its images where the device cannot read host memory.
  struct Lane {
    Lane(Backend& backend, const Plan& plan, int batch) : activations(backend, plan, batch, false) {}
    Batch load(Backend& backend, const uint8_t* images, int size, const uint32_t* rows, int count);
    Activations activations;
    Buffer<uint8_t> staged;
    Buffer<uint32_t> order;
    std::vector<uint8_t> host;
  };
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace fer
