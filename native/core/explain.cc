#include "core/explain.h"

#include <algorithm>

#include "core/error.h"

namespace fer {
namespace {

size_t square(int size) { return static_cast<size_t>(size) * size; }

// What a layer's readers see, in device memory with padded channels.
struct Layer {
  int size, channels, padded;
  View view;
};

// One image's way forward and back. Batch norm with running statistics is the affine map z * scale + shift, so that its
// backward pass is dz = scale * g: the ops' a, b and c are scale, 0 and 0. Gradients of weights, and what ops would leave for
// a batch norm of batch statistics, are written and never read.
class Explainer {
 public:
  explicit Explainer(Network& network)
      : network_(network),
        backend_(network.backend()),
        plan_(network.plan()),
        activations_(backend_, plan_, 1, true),
        gradients_(backend_, plan_.parameter_floats),
        norms_(network.batch_norms(gradients_.data())),
        input_channels_(backend_.channel_alignment()) {
    int widest = 0;
    size_t largest = square(plan_.spec.input_size) * input_channels_, shortcut = 0;
    for (const ConvolutionLayer& layer : plan_.stem) largest = std::max(largest, square(layer.out_size) * layer.out_channels);
    for (const ModuleLayer& m : plan_.modules) {
      largest = std::max(largest, square(m.in_size) * std::max(m.in_channels, m.out_channels));
      shortcut = std::max(shortcut, square(m.out_size) * m.in_channels);
    }
    for (const BatchNorm& bn : norms_) {
      backend_.use_running_statistics(bn);
      widest = std::max(widest, bn.channels);
    }
    zeros_ = Buffer<float>(backend_, widest);
    for (const BatchNorm& bn : norms_) {
      upstream_norms_.push_back(bn);
      upstream_norms_.back().a = bn.scale;
      upstream_norms_.back().b = upstream_norms_.back().c = zeros_.data();
    }
    for (Buffer<float>& buffer : upstream_) buffer = Buffer<float>(backend_, largest);
    shortcut_gradient_ = Buffer<float>(backend_, shortcut);
    d_logits_ = Buffer<float>(backend_, plan_.classes_padded);
  }

  std::vector<float> forward(const uint8_t* image, int size) {
    Buffer<uint8_t> pixels(backend_, square(size));
    Buffer<uint32_t> order(backend_, 1);
    backend_.upload(pixels.data(), image, pixels.bytes());
    backend_.gather({pixels.data(), nullptr, size, order.data(), nullptr, 1}, nullptr, plan_.spec.input_size, activations_.x);
    Network::forward(backend_, plan_, network_.parameters(), norms_, activations_, 1, false);
    std::vector<float> logits = host(activations_.logits, plan_.classes_padded);
    logits.resize(plan_.spec.classes);
    return logits;
  }

  // Depth 0 is the input, then the stem's two layers, then the modules.
  Layer layer(int depth) const {
    if (depth == 0) return {plan_.spec.input_size, 1, 1, {activations_.x, nullptr}};
    if (depth <= 2) {
      const ConvolutionLayer& stem = plan_.stem[depth - 1];
      return {stem.out_size, plan_.spec.stem[depth - 1], stem.out_channels, {activations_.stem_z[depth - 1], &norms_[stem.bn.index]}};
    }
    const ModuleLayer& m = plan_.modules[depth - 3];
    return {m.out_size, plan_.spec.modules[depth - 3], m.out_channels, {activations_.modules[depth - 3].out, nullptr}};
  }

  std::vector<float> activation(const Layer& at) const {
    std::vector<float> values = host(at.view.z, square(at.size) * at.padded);
    if (const BatchNorm* bn = at.view.bn) {
      const std::vector<float> scale = host(bn->scale, at.padded), shift = host(bn->shift, at.padded);
      for (size_t i = 0; i < values.size(); ++i) values[i] = std::max(values[i] * scale[i % at.padded] + shift[i % at.padded], 0.f);
    }
    return without_padding(values, at.padded, at.channels);
  }

  // d logit[target] / d activation of the layer at `depth`.
  std::vector<float> gradient(int target, int depth, bool guided) {
    std::vector<float> one_hot(plan_.classes_padded, 0.f);
    one_hot[target] = 1.f;
    backend_.upload(d_logits_.data(), one_hot.data(), d_logits_.bytes());
    const float* p = network_.parameters();
    float* d = gradients_.data();
    backend_.head_backward({1, plan_.head_size, plan_.head_channels, plan_.spec.classes, plan_.classes_padded}, d_logits_.data(), activations_.taps,
                           p + plan_.head_weight, d + plan_.head_weight, d + plan_.head_bias, upstream_[0].data());
    float *g = upstream_[0].data(), *next = upstream_[1].data();
    for (int at = static_cast<int>(plan_.modules.size()) + 2; at > depth; --at) {
      const bool arrives = at - 1 == depth;
      const Layer from = layer(at - 1);
      // Ops mask by the ReLU of a normalised input. The layer asked for is read without: its gradient is that of what the
      // ReLU gives, and what the ops make of the input itself, gradients of weights, is of no use here.
      const View in = arrives ? View{from.view.z, nullptr} : from.view;
      if (at > 2) module_backward(at - 3, g, in, next, guided);
      else stem_backward(at - 1, g, in, next);
      if (guided && in.bn) keep_positive(next, from.size, from.padded);
      std::swap(g, next);
    }
    const Layer to = layer(depth);
    const int padded = depth == 0 ? input_channels_ : to.padded;
    return without_padding(host(g, square(to.size) * padded), padded, to.channels);
  }

 private:
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

  // Guided backpropagation's rule (Springenberg et al., 2015), by way of the host: one image is too little to deserve an op.
  void keep_positive(float* gradient, int size, int channels) {
    std::vector<float> values = host(gradient, square(size) * channels);
    for (float& value : values) value = std::max(value, 0.f);
    backend_.upload(gradient, values.data(), values.size() * sizeof(float));
  }

  Upstream upstream(const float* g, const uint8_t* argmax, const float* z, const BatchNormSlots& bn) const {
    return {g, argmax, z, &upstream_norms_[bn.index]};
  }

  void module_backward(int i, const float* g, View in, float* dx, bool guided) {
    const ModuleLayer& m = plan_.modules[i];
    const Activations::Module& from = activations_.modules[i];
    const SeparableLayer &s1 = m.separable1, &s2 = m.separable2;
    BatchNorm *bn1 = &norms_[s1.bn.index], *in_bn = in.bn ? &norms_[plan_.stem[1].bn.index] : nullptr;
    const float* p = network_.parameters();
    float *d = gradients_.data(), *middle = upstream_[2].data();
    backend_.separable_backward({1, s2.size, s2.in_channels, s2.out_channels}, upstream(g, from.argmax, from.z2, s2.bn), {from.z1, bn1}, bn1, from.d2,
                                p + s2.depthwise, p + s2.pointwise, d + s2.depthwise, d + s2.pointwise, nullptr, middle);
    if (guided) keep_positive(middle, s1.size, s1.out_channels);
    backend_.shortcut_backward({1, m.in_size, m.in_channels, m.out_channels}, upstream(g, nullptr, from.shortcut_z, m.shortcut_bn), in,
                               p + m.shortcut, d + m.shortcut, shortcut_gradient_.data());
    backend_.separable_backward({1, s1.size, s1.in_channels, s1.out_channels}, upstream(middle, nullptr, from.z1, s1.bn), in, in_bn, from.d1,
                                p + s1.depthwise, p + s1.pointwise, d + s1.depthwise, d + s1.pointwise, shortcut_gradient_.data(), dx);
  }

  void stem_backward(int i, const float* g, View in, float* dx) {
    const ConvolutionLayer& c = plan_.stem[i];
    const Upstream up = upstream(g, nullptr, activations_.stem_z[i], c.bn);
    const float* weight = network_.parameters() + c.weight;
    float* d = gradients_.data() + c.weight;
    if (i == 1) {
      BatchNorm* in_bn = in.bn ? &norms_[plan_.stem[0].bn.index] : nullptr;
      backend_.convolution_backward({1, c.in_size, c.in_channels, c.out_channels}, up, in, in_bn, weight, d, dx);
      return;
    }
    // Training needs no gradient of the input, so the ops give none for one channel: zero channels are put beside it.
    const size_t out = c.out_channels, taps = 9;
    Buffer<float> weights(backend_, taps * input_channels_ * out), d_weights(backend_, weights.count()),
        x(backend_, square(c.in_size) * input_channels_);
    for (size_t tap = 0; tap < taps; ++tap) backend_.copy(weights.data() + tap * input_channels_ * out, weight + tap * out, out * sizeof(float));
    backend_.convolution_backward({1, c.in_size, input_channels_, c.out_channels}, up, {x.data(), nullptr}, nullptr, weights.data(), d_weights.data(),
                                  dx);
  }

  Network& network_;
  Backend& backend_;
  const Plan& plan_;
  Activations activations_;
  Buffer<float> gradients_;
  std::vector<BatchNorm> norms_, upstream_norms_;  // as a reader's (ops write their a, b, c), and with the affine map's constants
  int input_channels_;                             // of the input's gradient, padded
  Buffer<float> zeros_, upstream_[3], shortcut_gradient_, d_logits_;
};

}  // namespace

std::vector<std::string> layer_names(const Plan& plan) {
  std::vector<std::string> names = {"input", "stem.1", "stem.2"};
  for (size_t i = 0; i < plan.modules.size(); ++i) names.push_back("modules." + std::to_string(i));
  return names;
}

Sensitivity explain(Network& network, const uint8_t* image, int size, const ExplainRequest& request) {
  const std::vector<std::string> names = layer_names(network.plan());
  const auto found = std::find(names.begin(), names.end(), request.layer);
  if (found == names.end())
    throw Error("ERR_FER_ARGUMENT", "expected a layer of " + names.front() + " to " + names.back() + ", got " + request.layer + ", for layer");
  if (request.target >= network.plan().spec.classes)
    throw Error("ERR_FER_ARGUMENT",
                "expected a class below " + std::to_string(network.plan().spec.classes) + ", got " + std::to_string(request.target) + ", for class");
  const int depth = static_cast<int>(found - names.begin());
  Explainer explainer(network);
  Sensitivity result;
  result.logits = explainer.forward(image, size);
  result.target =
      request.target >= 0 ? request.target : static_cast<int>(std::max_element(result.logits.begin(), result.logits.end()) - result.logits.begin());
  const Layer at = explainer.layer(depth);
  result.size = at.size;
  result.channels = at.channels;
  result.activation = explainer.activation(at);
  result.gradient = explainer.gradient(result.target, depth, request.guided);
  return result;
}

std::vector<float> grad_cam(const Sensitivity& s) {
  const size_t pixels = square(s.size), channels = s.channels;
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
