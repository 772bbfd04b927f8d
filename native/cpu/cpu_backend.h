// The CPU backend: each op splits its images over the threads and carries one group of images at a time
// through all its stages, so that intermediate tensors stay in the core's own cache.
#pragma once
#include <algorithm>
#include <type_traits>
#include <vector>

#include "backend.h"
#include "cpu/instruction_sets.h"
#include "cpu/kernels.h"
#include "cpu/packed_weights.h"
#include "cpu/scratch_slots.h"
#include "cpu/thread_pool.h"
#include "cpu/work.h"

namespace fer::cpu {

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads, const Kernels& kernels = instruction_set().fp32());

  std::string description() const override;
  int threads() const override { return pool_.size(); }
  int channel_alignment() const override { return 8; }
  bool keeps_depthwise() const override { return false; }
  // Measured with AMX: wide, whose layers have 32 channels at least, gains a quarter; narrow loses as much, because its smallest
  // products go by way of floats.
  bool keeps_half(int fewest) const override { return k_.rounds_factors && fewest >= 32; }

  void* allocate(size_t bytes) override;
  void release(void* pointer) override;
  size_t free_bytes() const override;
  void upload(void* device, const void* host, size_t bytes) override;
  void download(void* host, const void* device, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;
  void zero(void* device, size_t bytes) override;

  bool asynchronous() const override { return false; }
  void run(const Op& op) override;
  std::unique_ptr<Program> record(std::span<const Op> ops) override;

  int lanes() const override { return pool_.size(); }
  int inference_batch() const override { return 4; }
  void for_each_lane(const std::function<void(int, Backend&)>& body) override;

 private:
  FER_RUNS_EVERY_OP

  // The ops that read or write activations, stored as S.
  template <class S>
  void run_as(const ConvolutionForward&);
  template <class S>
  void run_as(const ConvolutionBackward&);
  template <class S>
  void run_as(const SeparableForward&);
  template <class S>
  void run_as(const SeparableBackward&);
  template <class S>
  void run_as(const ShortcutForward&);
  template <class S>
  void run_as(const ShortcutBackward&);
  template <class S>
  void run_as(const PoolAddForward&);
  template <class S>
  void run_as(const PoolAddBackward&);
  template <class S>
  void run_as(const HeadForward&);
  template <class S>
  void run_as(const HeadBackward&);
  template <class S>
  const KernelsOf<S>& kernels() const {
    if constexpr (std::is_same_v<S, float>) return k_;
    else return k_.half;
  }

  // Scratch of one thread, grown on demand and kept; every piece starts on a cache line.
  class Scratch {
   public:
    float* floats(int slot, size_t count);
    template <class S>
    S* values(int slot, size_t count) {
      return reinterpret_cast<S*>(floats(slot, (count * sizeof(S) + sizeof(float) - 1) / sizeof(float)));
    }
    double* doubles(int slot, size_t count) { return reinterpret_cast<double*>(floats(slot, 2 * count)); }
    float* zero_floats(int slot, size_t count) { return std::fill_n(floats(slot, count), count, 0.f) - count; }
    double* zero_doubles(int slot, size_t count) { return std::fill_n(doubles(slot, count), count, 0.0) - count; }

   private:
    struct Piece {
      Floats memory;
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
  Cut shared_cut(int n, int size) const { return n < pool_.size() ? Cut(size, (size * n + pool_.size() - 1) / pool_.size()) : Cut(size); }
  Pieces pieces(const Cut& cut, int n, int t) const {
    const Slice strips = slice(n * cut.strips(), t);
    return {cut, strips.begin, strips.end};
  }
  // Whether the threads share out the columns of a prediction's products instead: of so few pixels that blocks of rows would be
  // left half empty, and each thread would read all of the weights.
  bool shares_columns(bool training, int n, int size, int channels) const {
    return !training && n < pool_.size() && size * size <= 64 && channels % 32 == 0 && channels >= 64 * pool_.size();
  }
  Pieces all_pieces(const Cut& cut, int n) const { return {cut, 0, n * cut.strips()}; }
  // Thread t's columns of C [m][n] = A times packed B.
  template <class S>
  void multiply_columns(int t, int m, int n, const RowsOf<S>& a, const float* b, S* c) {
    const int blocks = n / 32, first = blocks * t / pool_.size() * 32, end = blocks * (t + 1) / pool_.size() * 32;
    const int width = end - first;
    S* part = scratch_[t].values<S>(kColumns, static_cast<size_t>(m) * width);
    kernels<S>().multiply_rows(m, width, a, packed_from(k_, b, a.segments * a.k, n, first), part);
    for (int i = 0; i < m; ++i) std::copy_n(part + static_cast<size_t>(i) * width, width, c + static_cast<size_t>(i) * n + first);
  }
  // Weights [k][n] (or stored transposed) as products read them: packed anew, or for inference kept until they change.
  const float* packed(const float* b, int k, int n, bool transposed);
  const float* packed_once(const float* b, int k, int n) { return weights_->get(k_, b, k, n); }
  const float* packed_for(bool training, const float* b, int k, int n) { return training ? packed(b, k, n, false) : packed_once(b, k, n); }

  ThreadPool pool_;
  const Kernels& k_;
  std::shared_ptr<PackedWeights> weights_ = std::make_shared<PackedWeights>();  // lanes have their owner's
  std::vector<Scratch> scratch_;                                                // one a thread
  std::vector<std::unique_ptr<CpuBackend>> lane_backends_;
};

}  // namespace fer::cpu
