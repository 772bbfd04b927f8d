// The CUDA backend: every op is one or two launches on one stream, and a recorded sequence of them is replayed as a CUDA
// graph. Kernels sum without atomics, so results are the same bit for bit whenever they are run again on the same device.
#pragma once
#include "backend.h"
#include "cuda/workspace.h"

namespace fer::cuda {

class CudaBackend final : public Backend {
 public:
  // Throws ERR_FER_DEVICE_UNAVAILABLE where there is no device of that number. As `tuning` stands, own kernels run and none
  // is measured.
  explicit CudaBackend(int device, const DeviceOptions& options = {}, Tuning tuning = {});

  std::string description() const override;
  int threads() const override { return 1; }
  int channel_alignment() const override { return 8; }
  bool keeps_depthwise() const override { return true; }

  void* allocate(size_t bytes) override;
  void release(void* pointer) override;
  size_t free_bytes() const override;
  void upload(void* device, const void* host, size_t bytes) override;
  void download(void* host, const void* device, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;
  void zero(void* device, size_t bytes) override;

  bool asynchronous() const override { return true; }
  std::unique_ptr<Program> record(std::function<void()> ops) override;
  void advance(const StepState* schedule, StepState* now) override;
  void gather(const Batch&, const AugmentPass* augment, int out_size, float* x) override;

  void convolution_forward(const ConvolutionShape&, View in, const float* weight, float* z, BatchNorm* bn, bool training) override;
  void separable_forward(const SeparableShape&, View in, const float* depthwise, const float* pointwise, float* d, float* z, BatchNorm* bn,
                         bool training) override;
  void shortcut_forward(const ShortcutShape&, View in, const float* weight, float* z, BatchNorm* bn, bool training) override;
  void pool_add_forward(const PoolShape&, const float* main_z, const BatchNorm* main_bn, const float* shortcut_z, const BatchNorm* shortcut_bn,
                        float* out, uint8_t* argmax) override;
  void head_forward(const HeadShape&, const float* x, const float* weight, const float* bias, float* taps, float* logits) override;
  void softmax_cross_entropy(const HeadShape&, const float* logits, const Batch&, const LossOptions&, float* d_logits, LossTotals* totals) override;

  void head_backward(const HeadShape&, const float* d_logits, const float* taps, const float* weight, float* d_weight, float* d_bias,
                     float* dx) override;
  void pool_add_backward(const PoolShape&, const float* g, const uint8_t* argmax, const float* main_z, BatchNorm* main_bn, const float* shortcut_z,
                         BatchNorm* shortcut_bn) override;
  void shortcut_backward(const ShortcutShape&, const Upstream&, View in, const float* weight, float* d_weight, float* dx) override;
  void separable_backward(const SeparableShape&, const Upstream&, View in, BatchNorm* in_bn, const float* d, const float* depthwise,
                          const float* pointwise, float* d_depthwise, float* d_pointwise, const float* shortcut_dx, float* dx) override;
  void convolution_backward(const ConvolutionShape&, const Upstream&, View in, BatchNorm* in_bn, const float* weight, float* d_weight,
                            float* dx) override;

  void optimize(const OptimizerRule&, const StepState* step, size_t count, float* parameters, const float* gradients, float* moment1, float* moment2,
                float* average) override;
  void update_average(const StepState* step, size_t count, const float* values, float* average) override;
  void use_running_statistics(const BatchNorm& bn) override;

  const Choices& choices() const { return work_->choices(); }

  int lanes() const override { return 1; }
  int inference_batch() const override { return 256; }
  void for_each_lane(const std::function<void(int, Backend&)>& body) override { body(0, *this); }

 private:
  // Calls come from any thread; each must see this backend's device.
  void enter() const;
  int device_;
  DeviceOptions options_;
  std::unique_ptr<Workspace> work_;
};

}  // namespace fer::cuda
