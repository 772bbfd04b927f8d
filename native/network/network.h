// Parameters and running statistics of one Mini_Xception on one backend, and inference with them.
#pragma once
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "backend.h"
#include "buffer.h"
#include "network/fusion.h"
#include "network/pass.h"
#include "network/plan.h"

namespace fer {

class Network {
 public:
  // Weights are zero until they are initialised or written.
  Network(const Spec& spec, std::shared_ptr<Backend> backend);
  Network(const Spec& spec, std::shared_ptr<Backend> backend, uint64_t seed) : Network(spec, std::move(backend)) { initialise(seed); }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const Plan& plan() const { return plan_; }
  const Fusion& fusion() const { return fusion_; }
  Backend& backend() { return *backend_; }
  // For another network beside this one, which is run in turn with it.
  const std::shared_ptr<Backend>& shared_backend() const { return backend_; }
  float* parameters() const { return parameters_.data(); }
  float* statistics() const { return statistics_.data(); }

  std::vector<float> read(const TensorInfo& tensor) const;  // in PyTorch's layout
  void write(const TensorInfo& tensor, std::span<const float> values);
  // The same for memory laid out like the parameters or statistics (moments, averages).
  std::vector<float> read_from(const float* base, const TensorInfo& tensor) const;
  void write_to(float* base, const TensorInfo& tensor, std::span<const float> values) const;
  const TensorInfo& tensor(const std::string& name) const;

  // Weights as PyTorch's default initialisation draws them (uniform, bound 1/sqrt(fan in)), from Philox.
  void initialise(uint64_t seed);

  // The batch norms as ops want them, in the order of fusion().norms; `gradients` may be null.
  std::vector<BatchNorm> batch_norms(float* gradients) const;

  // Logits [n][classes] of rows of resident images [size*size]; `flip` mirrors them first.
  std::vector<float> infer(const uint8_t* images, int size, const uint32_t* rows, size_t n, bool flip);
  size_t bytes() const;

 private:
  // What one lane of inference works on; `staged` holds its images where the device cannot read host memory.
  struct Lane {
    Lane(Backend& backend, const Plan& plan, const Fusion& fusion, int batch) : pass(backend, plan, fusion, Purpose::kInference, batch) {}
    Batch load(Backend& backend, const uint8_t* images, int size, const uint32_t* rows, int count);
    Pass pass;
    std::map<int, std::vector<Op>> forward;  // by number of images
    Buffer<uint8_t> staged;
    Buffer<uint32_t> order;
    std::vector<uint8_t> host;
  };

  Plan plan_;
  Fusion fusion_;
  std::shared_ptr<Backend> backend_;
  Buffer<float> parameters_, statistics_, norm_memory_;
  std::vector<BatchNorm> norms_;  // of inference
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace fer
