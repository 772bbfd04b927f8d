#include "network/fusion.h"

#include "base/error.h"

namespace fer {
namespace {

class Fuser {
 public:
  explicit Fuser(const Plan& plan) : plan_(plan) {
    for (size_t v = 0; v < plan.values.size(); ++v) made_.seen.push_back({.stored = static_cast<int>(v)});
  }

  Fusion fuse() {
    while (next_ < plan_.layers.size()) take();
    return std::move(made_);
  }

 private:
  const Layer* ahead(size_t count) const { return next_ + count < plan_.layers.size() ? &plan_.layers[next_ + count] : nullptr; }
  static bool is(const Layer* layer, LayerKind kind) { return layer && layer->kind == kind; }
  static bool is_convolution(const Layer* layer, int kernel, int stride, bool same, bool depthwise = false) {
    return is(layer, LayerKind::kConvolution) && layer->kernel == kernel && layer->stride == stride && layer->same == same &&
           layer->depthwise == depthwise;
  }

  void take() {
    const Layer *first = ahead(0), *second = ahead(1), *third = ahead(2);
    if (is(first, LayerKind::kRelu)) return rectify(*first);
    if (is_convolution(first, 3, 1, false) && is(second, LayerKind::kBatchNorm)) return convolve(FusedKind::kConvolution, {first}, *second);
    if (is_convolution(first, 1, 2, false) && is(second, LayerKind::kBatchNorm)) return convolve(FusedKind::kShortcut, {first}, *second);
    if (is_convolution(first, 3, 1, true, true) && is_convolution(second, 1, 1, false) && is(third, LayerKind::kBatchNorm))
      return convolve(FusedKind::kSeparable, {first, second}, *third);
    if (is(first, LayerKind::kMaxPool) && is(second, LayerKind::kAdd)) return pool_and_add(*first, *second);
    if (is_convolution(first, 3, 1, true) && is(second, LayerKind::kAveragePool)) return head(*first, *second);
    throw Error("ERR_FER_NATIVE", std::string("no fused op begins with the layer ") + name_of(first->kind) + ' ' + first->name);
  }

  void rectify(const Layer& relu) {
    Seen& out = made_.seen[relu.output];
    out = made_.seen[relu.inputs[0]];
    out.relu = true;
    ++next_;
  }

  void convolve(FusedKind kind, const std::vector<const Layer*>& layers, const Layer& norm) {
    const int out = layers.back()->output;
    made_.seen[norm.output] = {.stored = out, .norm = add_norm(norm)};
    FusedOp op{.kind = kind, .in = loaded(layers[0]->inputs[0]), .out = out, .norm = made_.seen[norm.output].norm};
    if (layers.size() > 1) op.inner = layers[0]->output;
    for (const Layer* layer : layers) op.tensors.insert(op.tensors.end(), layer->tensors.begin(), layer->tensors.end());
    add(std::move(op), layers.size() + 1);
  }

  void pool_and_add(const Layer& pool, const Layer& sum) {
    const Seen main = made_.seen[pool.inputs[0]], side = made_.seen[sum.inputs[sum.inputs[0] == pool.output ? 1 : 0]];
    if (main.norm < 0 || main.relu || side.norm < 0 || side.relu) throw Error("ERR_FER_NATIVE", "pooling and adding expect two batch norms");
    add({.kind = FusedKind::kPoolAdd, .in = main, .side = side, .out = sum.output}, 2);
  }

  void head(const Layer& convolution, const Layer& average) {
    const Seen in = made_.seen[convolution.inputs[0]];
    if (in.norm >= 0 || convolution.tensors.size() != 2) throw Error("ERR_FER_NATIVE", "the head expects a sum, a weight and a bias");
    add({.kind = FusedKind::kHead, .in = in, .out = average.output, .tensors = convolution.tensors}, 2);
  }

  // Convolutions load what is in memory, or its batch norm with ReLU.
  Seen loaded(int value) const {
    const Seen& in = made_.seen[value];
    if ((in.norm >= 0) != in.relu) throw Error("ERR_FER_NATIVE", "a convolution expects batch norm and ReLU before it, or neither");
    return in;
  }

  int add_norm(const Layer& layer) {
    auto offset = [&](int i) { return plan_.tensors[layer.tensors[i]].offset; };
    const int channels = plan_.values[layer.output].padded;
    made_.norms.push_back({.gamma = offset(0),
                           .beta = offset(1),
                           .running_mean = offset(2),
                           .running_var = offset(3),
                           .channels = channels,
                           .memory = made_.norm_channels});
    made_.norm_channels += channels;
    return static_cast<int>(made_.norms.size()) - 1;
  }

  void add(FusedOp op, size_t layers) {
    made_.ops.push_back(std::move(op));
    next_ += layers;
  }

  const Plan& plan_;
  Fusion made_;
  size_t next_ = 0;
};

}  // namespace

Fusion fuse(const Plan& plan) { return Fuser(plan).fuse(); }

}  // namespace fer
