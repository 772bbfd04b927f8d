// A backend that lives in a plug-in, as the addon sees it: every op crosses interface.h and comes back, or throws here.
#pragma once
#include "plugin/interface.h"

namespace fer::plugin {

class PluginBackend final : public Backend {
 public:
  // `table` lives as long as the process: plug-ins are not unloaded.
  PluginBackend(const Table& table, int device, const DeviceOptions& options);
  ~PluginBackend() override { table_.destroy(backend_); }
  PluginBackend(const PluginBackend&) = delete;
  PluginBackend& operator=(const PluginBackend&) = delete;

  std::string description() const override;
  int threads() const override { return call(table_.threads); }
  int channel_alignment() const override { return call(table_.channel_alignment); }
  bool keeps_depthwise() const override { return call(table_.keeps_depthwise); }

  void* allocate(size_t bytes) override { return call(table_.allocate, bytes); }
  void release(void* pointer) override { call(table_.release, pointer); }
  size_t free_bytes() const override { return call(table_.free_bytes); }
  void upload(void* device, const void* host, size_t bytes) override { call(table_.upload, device, host, bytes); }
  void download(void* host, const void* device, size_t bytes) override { call(table_.download, host, device, bytes); }
  void copy(void* to, const void* from, size_t bytes) override { call(table_.copy, to, from, bytes); }
  void zero(void* device, size_t bytes) override { call(table_.zero, device, bytes); }

  bool asynchronous() const override { return call(table_.asynchronous); }
  std::unique_ptr<Program> record(std::function<void()> ops) override;
  void advance(const StepState* schedule, StepState* now) override { call(table_.advance, schedule, now); }
  void gather(const Batch& batch, const AugmentPass* augment, int out_size, float* x) override { call(table_.gather, batch, augment, out_size, x); }

  void convolution_forward(const ConvolutionShape& s, View in, const float* weight, float* z, BatchNorm* bn, bool training) override {
    call(table_.convolution_forward, s, in, weight, z, bn, training);
  }
  void separable_forward(const SeparableShape& s, View in, const float* depthwise, const float* pointwise, float* d, float* z, BatchNorm* bn,
                         bool training) override {
    call(table_.separable_forward, s, in, depthwise, pointwise, d, z, bn, training);
  }
  void shortcut_forward(const ShortcutShape& s, View in, const float* weight, float* z, BatchNorm* bn, bool training) override {
    call(table_.shortcut_forward, s, in, weight, z, bn, training);
  }
  void pool_add_forward(const PoolShape& s, const float* main_z, const BatchNorm* main_bn, const float* shortcut_z, const BatchNorm* shortcut_bn,
                        float* out, uint8_t* argmax) override {
    call(table_.pool_add_forward, s, main_z, main_bn, shortcut_z, shortcut_bn, out, argmax);
  }
  void head_forward(const HeadShape& s, const float* x, const float* weight, const float* bias, float* taps, float* logits) override {
    call(table_.head_forward, s, x, weight, bias, taps, logits);
  }
  void softmax_cross_entropy(const HeadShape& s, const float* logits, const Batch& batch, const LossOptions& options, float* d_logits,
                             LossTotals* totals) override {
    call(table_.softmax_cross_entropy, s, logits, batch, options, d_logits, totals);
  }

  void head_backward(const HeadShape& s, const float* d_logits, const float* taps, const float* weight, float* d_weight, float* d_bias,
                     float* dx) override {
    call(table_.head_backward, s, d_logits, taps, weight, d_weight, d_bias, dx);
  }
  void pool_add_backward(const PoolShape& s, const float* g, const uint8_t* argmax, const float* main_z, BatchNorm* main_bn, const float* shortcut_z,
                         BatchNorm* shortcut_bn) override {
    call(table_.pool_add_backward, s, g, argmax, main_z, main_bn, shortcut_z, shortcut_bn);
  }
  void shortcut_backward(const ShortcutShape& s, const Upstream& up, View in, const float* weight, float* d_weight, float* dx) override {
    call(table_.shortcut_backward, s, up, in, weight, d_weight, dx);
  }
  void separable_backward(const SeparableShape& s, const Upstream& up, View in, BatchNorm* in_bn, const float* d, const float* depthwise,
                          const float* pointwise, float* d_depthwise, float* d_pointwise, const float* shortcut_dx, float* dx) override {
    call(table_.separable_backward, s, up, in, in_bn, d, depthwise, pointwise, d_depthwise, d_pointwise, shortcut_dx, dx);
  }
  void convolution_backward(const ConvolutionShape& s, const Upstream& up, View in, BatchNorm* in_bn, const float* weight, float* d_weight,
                            float* dx) override {
    call(table_.convolution_backward, s, up, in, in_bn, weight, d_weight, dx);
  }

  void optimize(const OptimizerRule& rule, const StepState* step, size_t count, float* parameters, const float* gradients, float* moment1,
                float* moment2, float* average) override {
    call(table_.optimize, rule, step, count, parameters, gradients, moment1, moment2, average);
  }
  void update_average(const StepState* step, size_t count, const float* values, float* average) override {
    call(table_.update_average, step, count, values, average);
  }
  void use_running_statistics(const BatchNorm& bn) override { call(table_.use_running_statistics, bn); }

  // A device has one lane: its parallelism is within the ops.
  int lanes() const override { return 1; }
  int inference_batch() const override { return call(table_.inference_batch); }
  void for_each_lane(const std::function<void(int, Backend&)>& body) override { body(0, *this); }

 private:
  template <class R, class... P, class... A>
  R call(bool (*function)(Backend*, Failure*, R*, P...), A&&... arguments) const {
    Failure failure;
    if constexpr (std::is_void_v<R>) {
      if (!function(backend_, &failure, nullptr, arguments...)) rethrow(failure);
    } else {
      R result{};
      if (!function(backend_, &failure, &result, arguments...)) rethrow(failure);
      return result;
    }
  }

  const Table& table_;
  Backend* backend_;
};

}  // namespace fer::plugin
