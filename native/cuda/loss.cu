// Softmax cross-entropy with class weights and label smoothing as PyTorch defines them, and a teacher's probabilities. A warp an image.
#include "cuda/cuda_backend.h"
#include "cuda/loss.h"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

constexpr int kLanes = 32, kImages = kThreads / kLanes;  // of a warp; of a block

__device__ inline int image_of_warp() { return static_cast<int>(blockIdx.x * kImages + threadIdx.x / kLanes); }
__device__ inline int lane_of_warp() { return static_cast<int>(threadIdx.x % kLanes); }

// log softmax(z / temperature), by class, for the lanes of a warp together.
struct LogSoftmax {
  const float* z;
  float most, temperature, log_of_sum;

  __device__ LogSoftmax(const float* logits, int classes, float t) : z(logits), most(-INFINITY), temperature(t) {
    for (int c = lane_of_warp(); c < classes; c += kLanes) most = fmaxf(most, z[c]);
    most = warp_max(most);
    float sum = 0;
    for (int c = lane_of_warp(); c < classes; c += kLanes) sum += expf((z[c] - most) / temperature);
    log_of_sum = logf(warp_sum(sum));
  }
  __device__ float operator()(int c) const { return (z[c] - most) / temperature - log_of_sum; }
};

__global__ void __launch_bounds__(kThreads) soften(Soften op) {
  const int i = image_of_warp();
  if (i >= op.n) return;
  const LogSoftmax log_p(op.logits + static_cast<size_t>(i) * op.padded, op.classes, op.temperature);
  float* p = op.probabilities + static_cast<size_t>(i) * op.padded;
  for (int c = lane_of_warp(); c < op.padded; c += kLanes) {
    const float said = c < op.classes ? op.share * expf(log_p(c)) : 0.f;
    p[c] = op.first ? said : p[c] + said;
  }
}

// Whether `label` is the first class of the largest logit.
__device__ inline bool is_top(const float* z, int classes, int label) {
  float most = -INFINITY, first = static_cast<float>(classes);
  for (int c = lane_of_warp(); c < classes; c += kLanes) most = fmaxf(most, z[c]);
  most = warp_max(most);
  for (int c = lane_of_warp(); c < classes; c += kLanes)
    if (z[c] == most) first = fminf(first, static_cast<float>(c));
  return -warp_max(-first) == static_cast<float>(label);
}

// Mixes the teacher's share into image i's gradient, which is the labels'. Returns the lane's part of the divergence from what the
// teacher says.
__device__ inline float learn_from_teacher(const SoftmaxCrossEntropy& op, int i) {
  const auto [targets, share, temperature] = op.options.distillation;
  const LogSoftmax log_p(op.logits + static_cast<size_t>(i) * op.padded, op.classes, temperature);
  const float* q = targets + static_cast<size_t>(i) * op.padded;
  float* dz = op.d_logits + static_cast<size_t>(i) * op.padded;
  float divergence = 0;
  for (int c = lane_of_warp(); c < op.classes; c += kLanes) {
    const float log_pc = log_p(c);
    if (q[c] > 0.f) divergence += q[c] * (logf(q[c]) - log_pc);
    dz[c] = (1.f - share) * dz[c] + share * temperature * (expf(log_pc) - q[c]) / static_cast<float>(op.batch.n);
  }
  return divergence;
}

__global__ void __launch_bounds__(kThreads) cross_entropy(SoftmaxCrossEntropy op, const float* logarithms, float* partial, unsigned* counters) {
  const uint32_t* rows = op.batch.order + (op.batch.step ? op.batch.step->begin : 0);
  const float *class_weights = op.options.class_weights, smoothing = op.options.label_smoothing, uniform = smoothing / static_cast<float>(op.classes);
  float weight_sum[1] = {static_cast<float>(op.batch.n)};
  if (class_weights) {
    weight_sum[0] = 0;
    for (int i = static_cast<int>(threadIdx.x); i < op.batch.n; i += kThreads) weight_sum[0] += class_weights[op.batch.labels[rows[i]]];
    block_sums(weight_sum);
  }
  float sums[3] = {};  // of the labels' loss, of the divergence from a teacher, of correct images
  if (const int i = image_of_warp(); i < op.batch.n) {
    const float* z = op.logits + static_cast<size_t>(i) * op.padded;
    float* dz = op.d_logits + static_cast<size_t>(i) * op.padded;
    const int label = op.batch.labels[rows[i]];
    auto target = [&](int c) { return ((c == label ? 1.f - smoothing : 0.f) + uniform) * (class_weights ? class_weights[c] : 1.f); };
    auto spread = [&](const auto& log_p) {
      float mass = 0;  // sum over classes of weight * target
      for (int c = lane_of_warp(); c < op.classes; c += kLanes) mass += target(c), sums[0] -= target(c) * log_p(c);
      mass = warp_sum(mass);
      for (int c = lane_of_warp(); c < op.padded; c += kLanes) dz[c] = c < op.classes ? (mass * expf(log_p(c)) - target(c)) / weight_sum[0] : 0.f;
    };
    if (logarithms) spread([&](int c) { return logarithms[static_cast<size_t>(i) * op.padded + c]; });
    else spread(LogSoftmax(z, op.classes, 1.f));
    if (op.options.distillation.targets) sums[1] = learn_from_teacher(op, i);
    if (is_top(z, op.classes, label) && lane_of_warp() == 0) sums[2] = 1;
  }
  block_sums(sums);
  if (threadIdx.x == 0)
    for (int q = 0; q < 3; ++q) partial[blockIdx.x * 3 + q] = sums[q];
  FloatFloat totals[3];
  if (!grid_totals(totals, partial, counters, 1, 0, 1)) return;
  const auto [teacher, share, temperature] = op.options.distillation;
  const float of_labels = totals[0].value() / weight_sum[0] * static_cast<float>(op.batch.n);
  op.totals->loss_sum += teacher ? (1.f - share) * of_labels + share * temperature * temperature * totals[1].value() : of_labels;
  op.totals->correct += static_cast<int64_t>(totals[2].value());
}

}  // namespace

void run_cross_entropy(Workspace& work, const SoftmaxCrossEntropy& op, const float* logarithms) {
  const unsigned blocks = blocks_for(op.batch.n, kImages);
  launch("softmax cross-entropy", cross_entropy, dim3(blocks), dim3(kThreads), work.stream(), op, logarithms,
         work.floats(Slot::kPartial, 3 * partial_rows(blocks)), work.counters(counters_a_tile(blocks)));
}

void CudaBackend::run(const Soften& op) { launch("soften", soften, dim3(blocks_for(op.n, kImages)), dim3(kThreads), work_->stream(), op); }

void CudaBackend::run(const SoftmaxCrossEntropy& op) { run_cross_entropy(*work_, op, nullptr); }

}  // namespace fer::cuda
