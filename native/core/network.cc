#include "core/network.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/philox.h"

namespace fer {
namespace {

inline constexpr int kNormVectors = 7;  // mean, inv_std, scale, shift, a, b, c

inline constexpr int64_t kSplitMultiplyAdds = 20'000'000;  // an image of the narrow network has 6 million, of the wide one 260

size_t square(int size) { return static_cast<size_t>(size) * size; }

// PyTorch's default for convolutions (kaiming_uniform with a = sqrt 5) is uniform in +-1/sqrt(fan in), biases too.
std::vector<float> initial_values(const TensorInfo& t, size_t index, uint64_t seed, int head_fan_in) {
  std::vector<float> values(t.element_count(), t.initial);
  int fan_in = 0;
  if (t.storage != Storage::kVector) fan_in = std::accumulate(t.shape.begin() + 1, t.shape.end(), 1, std::multiplies<>());
  else if (t.name == "head.bias") fan_in = head_fan_in;
  if (fan_in == 0) return values;
  const float bound = 1.f / std::sqrt(static_cast<float>(fan_in));
  for (size_t i = 0; i < values.size(); ++i) {
    const Draw draw = philox(seed, {static_cast<uint32_t>(i), static_cast<uint32_t>(index), 0, static_cast<uint32_t>(Stream::kInitialise)});
    values[i] = (2.f * uniform(draw[0]) - 1.f) * bound;
  }
  return values;
}

}  // namespace

Activations::Activations(Backend& backend, const Plan& plan, int n, bool training) : batch(n) {
  // First pass counts, second pass hands out: one allocation, every tensor on a cache line.
  size_t floats = 0, flags = 0;
  auto reserve = [&](size_t count) {
    const size_t at = floats;
    floats += (count * n + 15) / 16 * 16;
    return at;
  };
  struct Offsets {
    size_t d1, z1, d2, z2, shortcut_z, out, argmax;
  };
  std::vector<Offsets> at;
  const size_t x_at = reserve(square(plan.spec.input_size));
  const size_t stem_at[2] = {reserve(square(plan.stem[0].out_size) * plan.stem[0].out_channels),
                             reserve(square(plan.stem[1].out_size) * plan.stem[1].out_channels)};
  for (const ModuleLayer& m : plan.modules) {
    Offsets o{};
    const size_t pixels = square(m.in_size), pooled = square(m.out_size);
    if (training) {
      if (backend.keeps_depthwise()) {
        o.d1 = reserve(pixels * m.in_channels);
        o.d2 = reserve(pixels * m.out_channels);
      }
      o.argmax = flags;
      flags += (pooled * m.out_channels * n + 63) / 64 * 64;
    }
    o.z1 = reserve(pixels * m.out_channels);
    o.z2 = reserve(pixels * m.out_channels);
    o.shortcut_z = reserve(pooled * m.out_channels);
    o.out = reserve(pooled * m.out_channels);
    at.push_back(o);
  }
  const size_t taps_at = reserve(static_cast<size_t>(9) * plan.head_channels), logits_at = reserve(plan.classes_padded);

  floats_ = Buffer<float>(backend, floats);
  bytes_ = Buffer<uint8_t>(backend, flags);
  float* f = floats_.data();
  const bool keeps_depthwise = training && backend.keeps_depthwise();
  x = f + x_at;
  for (int i = 0; i < 2; ++i) stem_z[i] = f + stem_at[i];
  for (const Offsets& o : at)
    modules.push_back({keeps_depthwise ? f + o.d1 : nullptr, f + o.z1, keeps_depthwise ? f + o.d2 : nullptr, f + o.z2, f + o.shortcut_z, f + o.out,
                       training ? bytes_.data() + o.argmax : nullptr});
  taps = f + taps_at;
  logits = f + logits_at;
}

Network::Network(const Spec& spec, std::unique_ptr<Backend> backend, uint64_t seed)
    : plan_(make_plan(spec, backend->channel_alignment())), backend_(std::move(backend)) {
  parameters_ = Buffer<float>(*backend_, plan_.parameter_floats);
  statistics_ = Buffer<float>(*backend_, plan_.statistic_floats);
  norm_memory_ = Buffer<float>(*backend_, kNormVectors * plan_.batch_norm_channels);
  const int head_fan_in = 9 * spec.modules.back();
  for (size_t i = 0; i < plan_.tensors.size(); ++i) write(plan_.tensors[i], initial_values(plan_.tensors[i], i, seed, head_fan_in));
}

std::vector<float> Network::read_from(const float* base, const TensorInfo& t) const {
  std::vector<float> native(t.size), values(t.element_count());
  backend_->download(native.data(), base + t.offset, t.size * sizeof(float));
  for (size_t i = 0; i < values.size(); ++i) values[i] = native[t.native_index(i)];
  return values;
}

void Network::write_to(float* base, const TensorInfo& t, const std::vector<float>& values) const {
  if (values.size() != t.element_count())
    throw Error("ERR_FER_MODEL_FORMAT",
                "expected " + std::to_string(t.element_count()) + " values, got " + std::to_string(values.size()) + ", for tensor " + t.name);
  std::vector<float> native(t.size, 0.f);
  for (size_t i = 0; i < values.size(); ++i) native[t.native_index(i)] = values[i];
  backend_->upload(base + t.offset, native.data(), t.size * sizeof(float));
}

std::vector<float> Network::read(const TensorInfo& t) const { return read_from(t.trainable ? parameters_.data() : statistics_.data(), t); }
void Network::write(const TensorInfo& t, const std::vector<float>& values) {
  write_to(t.trainable ? parameters_.data() : statistics_.data(), t, values);
}

const TensorInfo& Network::tensor(const std::string& name) const {
  for (const TensorInfo& t : plan_.tensors)
    if (t.name == name) return t;
  throw Error("ERR_FER_MODEL_FORMAT", "the network has no tensor named " + name);
}

BatchNorm Network::batch_norm(const BatchNormSlots& s, float* gradients) const {
  float *p = parameters_.data(), *r = statistics_.data(), *m = norm_memory_.data() + kNormVectors * s.memory;
  const size_t c = s.channels;
  return {s.channels,
          p + s.gamma,
          p + s.beta,
          r + s.running_mean,
          r + s.running_var,
          m,
          m + c,
          m + 2 * c,
          m + 3 * c,
          gradients ? gradients + s.gamma : nullptr,
          gradients ? gradients + s.beta : nullptr,
          m + 4 * c,
          m + 5 * c,
          m + 6 * c};
}

std::vector<BatchNorm> Network::batch_norms(float* gradients) const {
  std::vector<BatchNorm> norms(plan_.batch_norms);
  auto add = [&](const BatchNormSlots& s) { norms[s.index] = batch_norm(s, gradients); };
  for (const ConvolutionLayer& layer : plan_.stem) add(layer.bn);
  for (const ModuleLayer& m : plan_.modules) {
    add(m.separable1.bn);
    add(m.separable2.bn);
    add(m.shortcut_bn);
  }
  return norms;
}

void Network::forward(Backend& backend, const Plan& plan, const float* p, std::vector<BatchNorm>& norms, const Activations& a, int n, bool training) {
  auto bn = [&](const BatchNormSlots& s) { return &norms[s.index]; };
  View in{a.x, nullptr};
  for (int i = 0; i < 2; ++i) {
    const ConvolutionLayer& layer = plan.stem[i];
    backend.convolution_forward({n, layer.in_size, layer.in_channels, layer.out_channels}, in, p + layer.weight, a.stem_z[i], bn(layer.bn), training);
    in = {a.stem_z[i], bn(layer.bn)};
  }
  for (size_t i = 0; i < plan.modules.size(); ++i) {
    const ModuleLayer& m = plan.modules[i];
    const Activations::Module& to = a.modules[i];
    const SeparableLayer &s1 = m.separable1, &s2 = m.separable2;
    backend.shortcut_forward({n, m.in_size, m.in_channels, m.out_channels}, in, p + m.shortcut, to.shortcut_z, bn(m.shortcut_bn), training);
    backend.separable_forward({n, s1.size, s1.in_channels, s1.out_channels}, in, p + s1.depthwise, p + s1.pointwise, to.d1, to.z1, bn(s1.bn),
                              training);
    backend.separable_forward({n, s2.size, s2.in_channels, s2.out_channels}, {to.z1, bn(s1.bn)}, p + s2.depthwise, p + s2.pointwise, to.d2, to.z2,
                              bn(s2.bn), training);
    backend.pool_add_forward({n, m.in_size, m.out_channels}, to.z2, bn(s2.bn), to.shortcut_z, bn(m.shortcut_bn), to.out, to.argmax);
    in = {to.out, nullptr};
  }
  backend.head_forward({n, plan.head_size, plan.head_channels, plan.spec.classes, plan.classes_padded}, in.z, p + plan.head_weight,
                       p + plan.head_bias, a.taps, a.logits);
}

std::vector<float> Network::infer(const uint8_t* images, int size, const uint32_t* rows, size_t n, bool flip) {
  std::vector<BatchNorm> norms = batch_norms(nullptr);
  for (const BatchNorm& bn : norms) backend_->use_running_statistics(bn);
  const int most = static_cast<int>(std::min<size_t>(backend_->inference_batch(), std::max<size_t>(n, 1)));
  if (!lanes_.empty() && lanes_[0]->activations.batch < most) lanes_.clear();
  while (lanes_.size() < static_cast<size_t>(backend_->lanes())) lanes_.push_back(std::make_unique<Lane>(*backend_, plan_, most));

  const int classes = plan_.spec.classes;
  std::vector<float> logits(n * classes);
  const AugmentPass mirror{{}, 0, 0, true};
  std::atomic<size_t> next{0};
  auto run = [&](int index, Backend& backend) {
    Lane& lane = *lanes_[index];
    const Activations& a = lane.activations;
    std::vector<BatchNorm> own = norms;
    std::vector<float> out(static_cast<size_t>(most) * plan_.classes_padded);
    for (size_t begin; (begin = next.fetch_add(most)) < n;) {
      const int count = static_cast<int>(std::min<size_t>(most, n - begin));
      backend.gather(lane.load(backend, images, size, rows + begin, count), flip ? &mirror : nullptr, plan_.spec.input_size, a.x);
      forward(backend, plan_, parameters_.data(), own, a, count, false);
      backend.download(out.data(), a.logits, static_cast<size_t>(count) * plan_.classes_padded * sizeof(float));
      for (int i = 0; i < count; ++i)
        std::copy_n(out.data() + static_cast<size_t>(i) * plan_.classes_padded, classes, logits.data() + (begin + i) * classes);
    }
  };
  // Fewer images than lanes: the backend itself splits each op, where an image is work enough to pay for meeting after every op.
  if (n < static_cast<size_t>(backend_->lanes()) && plan_.multiply_adds > kSplitMultiplyAdds) run(0, *backend_);
  else backend_->for_each_lane(run);
  return logits;
}

Batch Network::Lane::load(Backend& backend, const uint8_t* images, int size, const uint32_t* rows, int count) {
  if (!backend.asynchronous()) return {images, nullptr, size, rows, nullptr, count};  // host memory is the device's
  const size_t pixels = square(size), bytes = pixels * activations.batch;
  if (staged.count() < bytes) {
    staged = Buffer<uint8_t>(backend, bytes);
    order = Buffer<uint32_t>(backend, activations.batch);
    std::vector<uint32_t> in_order(activations.batch);
    std::iota(in_order.begin(), in_order.end(), 0u);
    backend.upload(order.data(), in_order.data(), order.bytes());
  }
  host.resize(pixels * count);
  for (int i = 0; i < count; ++i) std::copy_n(images + rows[i] * pixels, pixels, host.data() + i * pixels);
  backend.upload(staged.data(), host.data(), host.size());
  return {staged.data(), nullptr, size, order.data(), nullptr, count};
}

size_t Network::bytes() const {
  size_t total = parameters_.bytes() + statistics_.bytes() + norm_memory_.bytes();
  for (const auto& lane : lanes_) total += lane->activations.bytes() + lane->staged.bytes();
  return total;
}

}  // namespace fer
