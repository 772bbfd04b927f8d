// The CPU backend: each op splits its images over the threads and carries one group of images at a time
// through all its stages, so that intermediate tensors stay in the core's own cache.
#pragma once
#include <vector>

#include "backend.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"
#include "cpu/work.h"

namespace fer::cpu {

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads, const Kernels& kernels = best_kernels());

  std::string description() const override;
  int threads() const override { return pool_.size(); }
  int channel_alignment() const override { return 8; }
  bool keeps_depthwise() const override { return false; }

  void* allocate(size_t bytes) override;
  void release(void* pointer) override;
  size_t free_bytes() const override;
  void upload(void* device, const void* host, size_t bytes) override;
  void download(void* host, const void* device, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;
  void zero(void* device, size_t bytes) override;

  bool asynchronous() const override { return false; }
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

  int lanes() const override { return pool_.size(); }
  int inference_batch() const override { return 4; }
  void for_each_lane(const std::function<void(int, Backend&)>& body) override;

 private:
  // Scratch of one thread, grown on demand and kept; every piece starts on a cache line.
  class Scratch {
   public:
    float* floats(int slot, size_t count);
    double* doubles(int slot, size_t count) { return reinterpret_cast<double*>(floats(slot, 2 * count)); }

   private:
    struct Free {
      void operator()(float* p) const;
    };
    struct Piece {
      std::unique_ptr<float, Free> memory;
      size_t capacity = 0;
    };
    std::vector<Piece> pieces_;
  };

  // Images [begin, end) of n for thread t.
  struct Slice {
    int begin, end;
  };
  Slice slice(int n, int thread) const;
  // Sums `count` doubles or floats of every thread's slot into `out`, in thread order.
  void reduce_floats(int slot, size_t count, float* out);
  void finish_statistics(BatchNorm& bn, int64_t count);
  void finish_gradients(BatchNorm& bn, int64_t count, const double* sum, const double* sum_hat);
  void batch_norm_sums(int slot_sum, int slot_hat, BatchNorm& bn, int64_t count);
  // The pieces of n images that fall to thread t; the cut shares out a single image's rows where threads would idle.
  Cut cut(int n, int size) const { return n < pool_.size() ? Cut(size, (size * n + pool_.size() - 1) / pool_.size()) : Cut(size); }
  Pieces pieces(const Cut& cut, int n, int t) const {
    const Slice strips = slice(n * cut.strips(), t);
    return {cut, strips.begin, strips.end};
  }
  static void gather_even(const float* in, const Pieces& p, int size, int channels, float* out);
  const float* packed(int slot, const float* b, int k, int n, bool transposed);

  ThreadPool pool_;
  const Kernels& k_;
  std::vector<Scratch> scratch_;  // one a thread
  std::vector<std::unique_ptr<CpuBackend>> lane_backends_;
};

}  // namespace fer::cpu
