#include "core/plan.h"

#include "core/error.h"

namespace fer {

size_t TensorInfo::element_count() const {
  size_t count = 1;
  for (int extent : shape) count *= static_cast<size_t>(extent);
  return count;
}

size_t TensorInfo::native_index(size_t i) const {
  if (storage == Storage::kVector) return i;
  const size_t kernel = static_cast<size_t>(shape[2]) * shape[3];
  const size_t tap = i % kernel, rest = i / kernel;
  if (storage == Storage::kDepthwise) return tap * out_padded + rest;
  const size_t in = rest % shape[1], out = rest / shape[1];
  return (tap * in_padded + in) * out_padded + out;
}

namespace {

class Planner {
 public:
  Planner(Plan& plan, int alignment) : plan_(plan), alignment_(alignment) {}

  int padded(int channels) const { return (channels + alignment_ - 1) / alignment_ * alignment_; }

  size_t add(const std::string& name, std::vector<int> shape, Storage storage, bool trainable, float initial) {
    TensorInfo t{name, std::move(shape), storage, trainable, 0, 0, 1, padded(1), initial};
    t.out_padded = padded(t.shape[0]);
    if (storage == Storage::kConvolution) t.in_padded = t.shape[1] == 1 ? 1 : padded(t.shape[1]);
    size_t taps = t.shape.size() == 4 ? static_cast<size_t>(t.shape[2]) * t.shape[3] : 1;
    t.size = taps * t.in_padded * t.out_padded;
    size_t& end = trainable ? plan_.parameter_floats : plan_.statistic_floats;
    t.offset = end;
    end += (t.size + 15) / 16 * 16;  // every tensor starts on a cache line
    if (trainable) plan_.parameter_count += t.element_count();
    plan_.tensors.push_back(t);
    return t.offset;
  }

  BatchNormSlots batch_norm(const std::string& name, int channels) {
    BatchNormSlots bn{};
    bn.gamma = add(name + ".weight", {channels}, Storage::kVector, true, 1.f);
    bn.beta = add(name + ".bias", {channels}, Storage::kVector, true, 0.f);
    bn.running_mean = add(name + ".running_mean", {channels}, Storage::kVector, false, 0.f);
    bn.running_var = add(name + ".running_var", {channels}, Storage::kVector, false, 1.f);
    bn.index = plan_.batch_norms++;
    bn.channels = padded(channels);
    bn.memory = plan_.batch_norm_channels;
    plan_.batch_norm_channels += bn.channels;
    return bn;
  }

  size_t convolution(const std::string& name, int in, int out, int kernel, int out_pixels) {
    plan_.multiply_adds += int64_t{1} * in * out * kernel * kernel * out_pixels;
    return add(name, {out, in, kernel, kernel}, Storage::kConvolution, true, 0.f);
  }

  ConvolutionLayer stem(int number, int in_size, int in, int out) {
    const std::string prefix = "stem.";
    const std::string n = std::to_string(number);
    ConvolutionLayer layer{in_size, in_size - 2, in == 1 ? 1 : padded(in), padded(out), 0, {}};
    layer.weight = convolution(prefix + "conv" + n + ".weight", in, out, 3, layer.out_size * layer.out_size);
    layer.bn = batch_norm(prefix + "bn" + n, out);
    return layer;
  }

  SeparableLayer separable(const std::string& module, int number, int size, int in, int out) {
    const std::string n = std::to_string(number);
    SeparableLayer layer{size, padded(in), padded(out), 0, 0, {}};
    layer.depthwise = add(module + "separable" + n + ".depthwise.weight", {in, 1, 3, 3}, Storage::kDepthwise, true, 0.f);
    plan_.multiply_adds += int64_t{9} * in * size * size;
    layer.pointwise = convolution(module + "separable" + n + ".pointwise.weight", in, out, 1, size * size);
    layer.bn = batch_norm(module + "bn" + n, out);
    return layer;
  }

 private:
  Plan& plan_;
  int alignment_;
};

void check(const Spec& spec) {
  auto fail = [](const std::string& expected, int got, const std::string& what) {
    throw Error("ERR_FER_ARGUMENT", "expected " + expected + ", got " + std::to_string(got) + ", for " + what);
  };
  for (int channels : spec.stem)
    if (channels < 1 || channels > 4096) fail("1 to 4096 channels", channels, "width.stem");
  if (spec.modules.empty() || spec.modules.size() > 16) fail("1 to 16 modules", static_cast<int>(spec.modules.size()), "width.modules");
  for (int channels : spec.modules)
    if (channels < 1 || channels > 4096) fail("1 to 4096 channels", channels, "width.modules");
  if (spec.classes < 2 || spec.classes > 1000) fail("2 to 1000 classes", spec.classes, "classes");
  if (spec.input_size < 8 || spec.input_size > 512) fail("8 to 512 pixels", spec.input_size, "inputSize");
}

}  // namespace

Plan make_plan(const Spec& spec, int channel_alignment) {
  check(spec);
  Plan plan{};
  plan.spec = spec;
  Planner planner(plan, channel_alignment);

  plan.stem[0] = planner.stem(1, spec.input_size, 1, spec.stem[0]);
  plan.stem[1] = planner.stem(2, plan.stem[0].out_size, spec.stem[0], spec.stem[1]);

  int size = plan.stem[1].out_size, in = spec.stem[1];
  for (size_t i = 0; i < spec.modules.size(); ++i) {
    const int out = spec.modules[i], pooled = (size + 1) / 2;
    const std::string prefix = "modules." + std::to_string(i) + ".";
    ModuleLayer module{};
    module.in_size = size;
    module.out_size = pooled;
    module.in_channels = planner.padded(in);
    module.out_channels = planner.padded(out);
    module.separable1 = planner.separable(prefix, 1, size, in, out);
    module.separable2 = planner.separable(prefix, 2, size, out, out);
    module.shortcut = planner.convolution(prefix + "shortcut.weight", in, out, 1, pooled * pooled);
    module.shortcut_bn = planner.batch_norm(prefix + "shortcut_bn", out);
    plan.modules.push_back(module);
    size = pooled;
    in = out;
  }

  plan.head_size = size;
  plan.head_channels = planner.padded(in);
  plan.classes_padded = planner.padded(spec.classes);
  plan.head_weight = planner.convolution("head.weight", in, spec.classes, 3, size * size);
  plan.head_bias = planner.add("head.bias", {spec.classes}, Storage::kVector, true, 0.f);
  return plan;
}

}  // namespace fer
