#include "network/explain.h"

#include <algorithm>

#include "base/error.h"

namespace fer {
namespace {

// One image's way forward and back. Batch norm with running statistics is the affine map z * scale + shift, so that its
// backward pass is dz = scale * g: the ops' a, b and c are scale, 0 and 0. Gradients of weights, and what ops would leave for
// a batch norm of batch statistics, are written and never read.
class Explainer {
 public:
  explicit Explainer(Network& network)
      : network_(network),
        backend_(network.backend()),
        plan_(network.plan()),
        pass_(backend_, plan_, network.fusion(), Purpose::kExplanation, 1),
        gradients_(backend_, plan_.parameter_floats),
        norms_(network.batch_norms(gradients_.data())) {
    int widest = 0;
    for (const BatchNorm& bn : norms_) {
      backend_.run(UseRunningStatistics{bn});
      widest = std::max(widest, bn.channels);
    }
    zeros_ = Buffer<float>(backend_, widest);
    for (const BatchNorm& bn : norms_) {
      fixed_norms_.push_back(bn);
      fixed_norms_.back().a = bn.scale;
      fixed_norms_.back().b = fixed_norms_.back().c = zeros_.data();
    }
  }

  std::vector<float> forward(const uint8_t* image, int size) {
    Buffer<uint8_t> pixels(backend_, static_cast<size_t>(size) * size);
    Buffer<uint32_t> order(backend_, 1);
    backend_.upload(pixels.data(), image, pixels.bytes());
    backend_.run(Gather{
        .batch = {.images = pixels.data(), .labels = nullptr, .size = size, .order = order.data(), .step = nullptr, .n = 1, .variants = nullptr},
        .augments = false,
        .pass = {},
        .out_size = plan_.spec.input_size,
        .x = pass_.input()});
    backend_.run(pass_.forward(weights(), 1, false));
    std::vector<float> logits = host(pass_.logits(), plan_.values.back().padded);
    logits.resize(plan_.spec.classes);
    return logits;
  }

  // What the value's readers see.
  std::vector<float> activation(int value) const {
    const Value& at = plan_.values[value];
    const Seen& seen = network_.fusion().seen[value];
    std::vector<float> values = host(pass_.stored(seen.stored), at.floats());
    if (seen.norm >= 0) {
      const BatchNorm& bn = norms_[seen.norm];
      const std::vector<float> scale = host(bn.scale, at.padded), shift = host(bn.shift, at.padded);
      for (size_t i = 0; i < values.size(); ++i) values[i] = std::max(values[i] * scale[i % at.padded] + shift[i % at.padded], 0.f);
    }
    return without_padding(values, at.padded, at.channels);
  }

  // d logit[target] / d value.
  std::vector<float> gradient(int target, int value, bool guided) {
    std::vector<float> one_hot(plan_.values.back().padded, 0.f);
    one_hot[target] = 1.f;
    backend_.upload(pass_.d_logits(), one_hot.data(), one_hot.size() * sizeof(float));
    const bool of_input = value == 0;
    if (of_input) widen_input();
    backend_.run(pass_.backward(
        weights(), 1,
        {.to = value, .batch_statistics = false, .upstream = fixed_norms_, .guided = guided, .input = of_input ? &wide_input_ : nullptr}));
    const Value& at = plan_.values[value];
    const int padded = of_input ? wide_input_.channels : at.padded;
    return without_padding(host(pass_.gradient(network_.fusion().seen[value].stored), at.pixels() * padded), padded, at.channels);
  }

 private:
  Weights weights() { return {.parameters = network_.parameters(), .gradients = gradients_.data(), .norms = norms_}; }

  // Training needs no gradient of the input, so the ops give none for one channel: zero channels are put beside it.
  void widen_input() {
    const auto reader = std::find_if(plan_.layers.begin(), plan_.layers.end(), [](const Layer& layer) { return layer.inputs[0] == 0; });
    const TensorInfo& tensor = plan_.tensors[reader->tensors[0]];
    const float* weight = network_.parameters() + tensor.offset;
    const size_t channels = backend_.channel_alignment(), out = tensor.out_padded, taps = tensor.size / out;
    wide_weight_ = Buffer<float>(backend_, taps * channels * out);
    d_wide_weight_ = Buffer<float>(backend_, taps * channels * out);
    wide_x_ = Buffer<float>(backend_, plan_.values[0].pixels() * channels);
    for (size_t tap = 0; tap < taps; ++tap) backend_.copy(wide_weight_.data() + tap * channels * out, weight + tap * out, out * sizeof(float));
    wide_input_ = {.channels = static_cast<int>(channels), .x = wide_x_.data(), .weight = wide_weight_.data(), .d_weight = d_wide_weight_.data()};
  }

  std::vector<float> host(const float* device, size_t count) const {
    std::vector<float> values(count);
    backend_.download(values.data(), device, count * sizeof(float));
    return values;
  }

  static std::vector<float> without_padding(const std::vector<float>& values, int padded, int channels) {
    std::vector<float> kept;
    kept.reserve(values.size() / padded * channels);
    for (size_t row = 0; row < values.size(); row += padded) kept.insert(kept.end(), values.begin() + row, values.begin() + row + channels);
    return kept;
  }

  Network& network_;
  Backend& backend_;
  const Plan& plan_;
  Pass pass_;
  Buffer<float> gradients_;
  std::vector<BatchNorm> norms_, fixed_norms_;  // as a reader's (ops write their a, b, c), and with the affine map's constants
  Buffer<float> zeros_, wide_x_, wide_weight_, d_wide_weight_;
  WideInput wide_input_{};
};

}  // namespace

Sensitivity explain(Network& network, const uint8_t* image, int size, const ExplainRequest& request) {
  const std::vector<Value>& values = network.plan().values;
  const auto found = std::find_if(values.begin(), values.end(), [&](const Value& value) { return value.name == request.layer; });
  if (found == values.end() || request.layer.empty()) {
    std::string names;
    for (const Value& value : values)
      if (!value.name.empty()) names += (names.empty() ? "" : ", ") + value.name;
    throw Error("ERR_FER_ARGUMENT", "expected one of " + names + ", got \"" + request.layer + "\", for layer");
  }
  if (request.target >= network.plan().spec.classes)
    throw Error("ERR_FER_ARGUMENT",
                "expected a class below " + std::to_string(network.plan().spec.classes) + ", got " + std::to_string(request.target) + ", for class");
  const int value = static_cast<int>(found - values.begin());
  Explainer explainer(network);
  Sensitivity result;
  result.logits = explainer.forward(image, size);
  result.target =
      request.target >= 0 ? request.target : static_cast<int>(std::max_element(result.logits.begin(), result.logits.end()) - result.logits.begin());
  result.size = found->size;
  result.channels = found->channels;
  result.activation = explainer.activation(value);
  result.gradient = explainer.gradient(result.target, value, request.guided);
  return result;
}

std::vector<float> grad_cam(const Sensitivity& s) {
  const size_t pixels = static_cast<size_t>(s.size) * s.size, channels = s.channels;
  std::vector<double> weights(channels);
  for (size_t i = 0; i < s.gradient.size(); ++i) weights[i % channels] += s.gradient[i] / static_cast<double>(pixels);
  std::vector<float> map(pixels);
  for (size_t pixel = 0; pixel < pixels; ++pixel) {
    double sum = 0;
    for (size_t c = 0; c < channels; ++c) sum += weights[c] * s.activation[pixel * channels + c];
    map[pixel] = static_cast<float>(std::max(sum, 0.0));
  }
  return map;
}

}  // namespace fer
