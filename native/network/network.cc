#include "network/network.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/philox.h"

namespace fer {
namespace {

inline constexpr int kNormVectors = 7;  // mean, inv_std, scale, shift, a, b, c

inline constexpr int64_t kSplitMultiplyAdds = 20'000'000;  // an image of the narrow network has 6 million, of the wide one 260

// PyTorch's default for convolutions (kaiming_uniform with a = sqrt 5) is uniform in +-1/sqrt(fan in), biases too.
std::vector<float> initial_values(const TensorInfo& t, size_t index, uint64_t seed) {
  std::vector<float> values(t.element_count(), t.initial);
  if (t.fan_in == 0) return values;
  const float bound = 1.f / std::sqrt(static_cast<float>(t.fan_in));
  for (size_t i = 0; i < values.size(); ++i) {
    const Draw draw = philox(seed, {static_cast<uint32_t>(i), static_cast<uint32_t>(index), 0, static_cast<uint32_t>(Stream::kInitialise)});
    values[i] = (2.f * uniform(draw[0]) - 1.f) * bound;
  }
  return values;
}

}  // namespace

Network::Network(const Spec& spec, std::shared_ptr<Backend> backend)
    : plan_(make_plan(spec, backend->channel_alignment())), fusion_(fuse(plan_)), backend_(std::move(backend)) {
  parameters_ = Buffer<float>(*backend_, plan_.parameter_floats);
  statistics_ = Buffer<float>(*backend_, plan_.statistic_floats);
  norm_memory_ = Buffer<float>(*backend_, kNormVectors * fusion_.norm_channels);
  norms_ = batch_norms(nullptr);
}

void Network::initialise(uint64_t seed) {
  for (size_t i = 0; i < plan_.tensors.size(); ++i) write(plan_.tensors[i], initial_values(plan_.tensors[i], i, seed));
}

std::vector<float> Network::read_from(const float* base, const TensorInfo& t) const {
  std::vector<float> native(t.size), values(t.element_count());
  backend_->download(native.data(), base + t.offset, t.size * sizeof(float));
  for (size_t i = 0; i < values.size(); ++i) values[i] = native[t.native_index(i)];
  return values;
}

void Network::write_to(float* base, const TensorInfo& t, std::span<const float> values) const {
  if (values.size() != t.element_count())
    throw Error("ERR_FER_MODEL_FORMAT",
                "expected " + std::to_string(t.element_count()) + " values, got " + std::to_string(values.size()) + ", for tensor " + t.name);
  std::vector<float> native(t.size, 0.f);
  for (size_t i = 0; i < values.size(); ++i) native[t.native_index(i)] = values[i];
  backend_->upload(base + t.offset, native.data(), t.size * sizeof(float));
}

std::vector<float> Network::read(const TensorInfo& t) const { return read_from(t.trainable ? parameters_.data() : statistics_.data(), t); }
void Network::write(const TensorInfo& t, std::span<const float> values) {
  write_to(t.trainable ? parameters_.data() : statistics_.data(), t, values);
}

const TensorInfo& Network::tensor(const std::string& name) const {
  for (const TensorInfo& t : plan_.tensors)
    if (t.name == name) return t;
  throw Error("ERR_FER_MODEL_FORMAT", "the network has no tensor named " + name);
}

std::vector<BatchNorm> Network::batch_norms(float* gradients) const {
  std::vector<BatchNorm> norms;
  float *p = parameters_.data(), *r = statistics_.data();
  for (const BatchNormSlots& s : fusion_.norms) {
    float* memory = norm_memory_.data() + kNormVectors * s.memory;
    auto vector = [&](int i) { return memory + static_cast<size_t>(i) * s.channels; };
    norms.push_back({.channels = s.channels,
                     .gamma = p + s.gamma,
                     .beta = p + s.beta,
                     .running_mean = r + s.running_mean,
                     .running_var = r + s.running_var,
                     .mean = vector(0),
                     .inv_std = vector(1),
                     .scale = vector(2),
                     .shift = vector(3),
                     .d_gamma = gradients ? gradients + s.gamma : nullptr,
                     .d_beta = gradients ? gradients + s.beta : nullptr,
                     .a = vector(4),
                     .b = vector(5),
                     .c = vector(6)});
  }
  return norms;
}

std::vector<float> Network::infer(const uint8_t* images, int size, const uint32_t* rows, size_t n, bool flip) {
  for (const BatchNorm& bn : norms_) backend_->run(UseRunningStatistics{bn});
  const size_t most = std::min<size_t>(backend_->inference_batch(), std::max<size_t>(n, 1));
  if (!lanes_.empty() && static_cast<size_t>(lanes_[0]->pass.batch()) < most) lanes_.clear();
  while (lanes_.size() < static_cast<size_t>(backend_->lanes()))
    lanes_.push_back(std::make_unique<Lane>(*backend_, plan_, fusion_, static_cast<int>(most)));

  const int classes = plan_.spec.classes, padded = plan_.values.back().padded;
  std::vector<float> logits(n * classes);
  const AugmentPass mirror{.options = {}, .seed = 0, .epoch = 0, .always_flip = true};
  auto infer_part = [&](Lane& lane, Backend& backend, size_t begin, size_t end) {
    const auto count = static_cast<int>(end - begin);
    std::vector<Op>& forward = lane.forward[count];
    if (forward.empty()) forward = lane.pass.forward({.parameters = parameters_.data(), .gradients = nullptr, .norms = norms_}, count, false);
    backend.run(Gather{.batch = lane.load(backend, images, size, rows + begin, count),
                       .augments = flip,
                       .pass = mirror,
                       .out_size = plan_.spec.input_size,
                       .x = lane.pass.input()});
    backend.run(forward);
    std::vector<float> out(static_cast<size_t>(count) * padded);
    backend.download(out.data(), lane.pass.logits(), out.size() * sizeof(float));
    for (int i = 0; i < count; ++i) std::copy_n(out.data() + static_cast<size_t>(i) * padded, classes, logits.data() + (begin + i) * classes);
  };
  // As many images for every lane, in parts alike, the larger first. Those that are left over the lanes take together: the backend itself splits each
  // op, where an image is work enough to pay for meeting after every one.
  const auto lanes = static_cast<size_t>(backend_->lanes());
  const size_t apart = plan_.multiply_adds > kSplitMultiplyAdds ? n / lanes * lanes : n;
  const size_t parts = (apart + most * lanes - 1) / (most * lanes) * lanes;
  std::atomic<size_t> next{0};
  if (parts > 0)
    backend_->for_each_lane([&](int index, Backend& backend) {
      const auto start = [&](size_t part) { return part * (apart / parts) + std::min(part, apart % parts); };
      for (size_t part; (part = next.fetch_add(1)) < parts;)
        if (start(part) < start(part + 1)) infer_part(*lanes_[index], backend, start(part), start(part + 1));
    });
  for (size_t begin = apart; begin < n; begin += most) infer_part(*lanes_[0], *backend_, begin, std::min(n, begin + most));
  return logits;
}

Batch Network::Lane::load(Backend& backend, const uint8_t* images, int size, const uint32_t* rows, int count) {
  Batch batch{.images = images, .labels = nullptr, .size = size, .order = rows, .step = nullptr, .n = count, .variants = nullptr};
  if (!backend.asynchronous()) return batch;  // host memory is the device's
  const size_t pixels = static_cast<size_t>(size) * size, bytes = pixels * pass.batch();
  if (staged.count() < bytes) {
    staged = Buffer<uint8_t>(backend, bytes);
    order = Buffer<uint32_t>(backend, pass.batch());
    std::vector<uint32_t> in_order(pass.batch());
    std::iota(in_order.begin(), in_order.end(), 0u);
    backend.upload(order.data(), in_order.data(), order.bytes());
  }
  host.resize(pixels * count);
  for (int i = 0; i < count; ++i) std::copy_n(images + rows[i] * pixels, pixels, host.data() + i * pixels);
  backend.upload(staged.data(), host.data(), host.size());
  batch.images = staged.data();
  batch.order = order.data();
  return batch;
}

size_t Network::bytes() const {
  size_t total = parameters_.bytes() + statistics_.bytes() + norm_memory_.bytes();
  for (const auto& lane : lanes_) total += lane->pass.bytes() + lane->staged.bytes();
  return total;
}

}  // namespace fer
