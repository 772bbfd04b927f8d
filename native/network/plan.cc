#include "network/plan.h"

#include <algorithm>

#include "base/error.h"

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

// Appends layers to a plan. Each function takes and returns values.
class Planner {
 public:
  Planner(Plan& plan, int alignment) : plan_(plan), alignment_(alignment) {}

  int input(int size) { return value(size, 1, 1); }

  struct Convolution {
    int out, kernel, stride = 1;
    bool same = false, bias = false;
  };
  int convolution(int in, const std::string& name, const Convolution& c) {
    const Value from = plan_.values[in];
    const int size = ((c.same ? from.size : from.size - c.kernel + 1) + c.stride - 1) / c.stride, fan_in = from.channels * c.kernel * c.kernel;
    std::vector<int> tensors = {
        tensor(name + ".weight", {c.out, from.channels, c.kernel, c.kernel}, Storage::kConvolution, {.in_padded = from.padded, .fan_in = fan_in})};
    if (c.bias) tensors.push_back(tensor(name + ".bias", {c.out}, Storage::kVector, {.fan_in = fan_in}));
    plan_.multiply_adds += int64_t{1} * fan_in * c.out * size * size;
    return layer({.kind = LayerKind::kConvolution,
                  .name = name,
                  .inputs = {in},
                  .output = value(size, c.out, padded(c.out)),
                  .kernel = c.kernel,
                  .stride = c.stride,
                  .same = c.same,
                  .tensors = std::move(tensors)});
  }

  int depthwise(int in, const std::string& name) {
    const Value from = plan_.values[in];
    plan_.multiply_adds += int64_t{9} * from.channels * from.size * from.size;
    return layer({.kind = LayerKind::kConvolution,
                  .name = name,
                  .inputs = {in},
                  .output = value(from.size, from.channels, from.padded),
                  .kernel = 3,
                  .same = true,
                  .depthwise = true,
                  .tensors = {tensor(name + ".weight", {from.channels, 1, 3, 3}, Storage::kDepthwise, {.fan_in = 9})}});
  }

  int separable(int in, const std::string& name, int out) {
    return convolution(depthwise(in, name + ".depthwise"), name + ".pointwise", {.out = out, .kernel = 1});
  }

  int batch_norm(int in, const std::string& name) {
    const std::vector<int> channels = {plan_.values[in].channels};
    return layer(
        {.kind = LayerKind::kBatchNorm,
         .name = name,
         .inputs = {in},
         .output = like(in),
         .tensors = {tensor(name + ".weight", channels, Storage::kVector, {.initial = 1}), tensor(name + ".bias", channels, Storage::kVector, {}),
                     tensor(name + ".running_mean", channels, Storage::kVector, {.trainable = false}),
                     tensor(name + ".running_var", channels, Storage::kVector, {.trainable = false, .initial = 1})}});
  }

  int relu(int in) { return layer({.kind = LayerKind::kRelu, .inputs = {in}, .output = like(in)}); }
  int add(int a, int b) { return layer({.kind = LayerKind::kAdd, .inputs = {a, b}, .output = like(a)}); }
  int max_pool(int in) {
    const Value from = plan_.values[in];
    return layer({.kind = LayerKind::kMaxPool,
                  .inputs = {in},
                  .output = value((from.size + 1) / 2, from.channels, from.padded),
                  .kernel = 3,
                  .stride = 2,
                  .same = true});
  }
  int average_pool(int in) {
    const Value from = plan_.values[in];
    return layer({.kind = LayerKind::kAveragePool, .inputs = {in}, .output = value(1, from.channels, from.padded), .kernel = from.size});
  }

  int named(int v, const std::string& name) {
    plan_.values[v].name = name;
    return v;
  }

 private:
  struct TensorOptions {
    bool trainable = true;
    int in_padded = 1;  // as the value that is read is stored: the picture has one channel, a layer's one channel is padded
    float initial = 0;
    int fan_in = 0;
  };

  int padded(int channels) const { return (channels + alignment_ - 1) / alignment_ * alignment_; }

  int tensor(const std::string& name, std::vector<int> shape, Storage storage, const TensorOptions& options) {
    TensorInfo t{.name = name,
                 .shape = std::move(shape),
                 .storage = storage,
                 .trainable = options.trainable,
                 .offset = 0,
                 .size = 0,
                 .in_padded = options.in_padded,
                 .out_padded = 0,
                 .initial = options.initial,
                 .fan_in = options.fan_in};
    t.out_padded = padded(t.shape[0]);
    const size_t taps = t.shape.size() == 4 ? static_cast<size_t>(t.shape[2]) * t.shape[3] : 1;
    t.size = taps * t.in_padded * t.out_padded;
    size_t& end = t.trainable ? plan_.parameter_floats : plan_.statistic_floats;
    t.offset = end;
    end += (t.size + 15) / 16 * 16;  // every tensor starts on a cache line
    if (t.trainable) plan_.parameter_count += t.element_count();
    plan_.tensors.push_back(std::move(t));
    return static_cast<int>(plan_.tensors.size()) - 1;
  }

  int value(int size, int channels, int padded_channels) {
    plan_.values.push_back({.name = "", .size = size, .channels = channels, .padded = padded_channels});
    return static_cast<int>(plan_.values.size()) - 1;
  }
  int like(int v) {
    const Value& other = plan_.values[v];
    return value(other.size, other.channels, other.padded);
  }
  int layer(Layer made) {
    plan_.layers.push_back(std::move(made));
    return plan_.layers.back().output;
  }

  Plan& plan_;
  int alignment_;
};

constexpr int kMostClasses = 256;  // a label is a byte

void check(const Spec& spec) {
  auto fail = [](const std::string& expected, int got, const std::string& what) {
    throw Error("ERR_FER_ARGUMENT", "expected " + expected + ", got " + std::to_string(got) + ", for " + what);
  };
  for (int channels : spec.stem)
    if (channels < 1 || channels > 4096) fail("1 to 4096 channels", channels, "width.stem");
  if (spec.modules.empty() || spec.modules.size() > 16) fail("1 to 16 modules", static_cast<int>(spec.modules.size()), "width.modules");
  for (int channels : spec.modules)
    if (channels < 1 || channels > 4096) fail("1 to 4096 channels", channels, "width.modules");
  if (spec.classes < 2 || spec.classes > kMostClasses) fail("2 to " + std::to_string(kMostClasses) + " classes", spec.classes, "classes");
  if (spec.input_size < 8 || spec.input_size > 512) fail("8 to 512 pixels", spec.input_size, "inputSize");
}

void mark_lifetimes(Plan& plan) {
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    plan.values[plan.layers[i].output].from = static_cast<int>(i);
    for (int in : plan.layers[i].inputs) plan.values[in].last = static_cast<int>(i);
  }
}

}  // namespace

Plan make_plan(const Spec& spec, int channel_alignment) {
  check(spec);
  Plan plan{};
  plan.spec = spec;
  Planner make(plan, channel_alignment);

  int x = make.named(make.input(spec.input_size), "input");
  for (int i = 0; i < 2; ++i) {
    const std::string n = std::to_string(i + 1);
    x = make.batch_norm(make.convolution(x, "stem.conv" + n, {.out = spec.stem[i], .kernel = 3}), "stem.bn" + n);
    x = make.named(make.relu(x), "stem." + n);
  }
  for (size_t i = 0; i < spec.modules.size(); ++i) {
    const std::string name = "modules." + std::to_string(i), prefix = name + '.';
    const int out = spec.modules[i];
    const auto begin = static_cast<ptrdiff_t>(plan.layers.size());
    int main = make.relu(make.batch_norm(make.separable(x, prefix + "separable1", out), prefix + "bn1"));
    main = make.max_pool(make.batch_norm(make.separable(main, prefix + "separable2", out), prefix + "bn2"));
    const auto aside = static_cast<ptrdiff_t>(plan.layers.size());
    const int shortcut = make.batch_norm(make.convolution(x, prefix + "shortcut", {.out = out, .kernel = 1, .stride = 2}), prefix + "shortcut_bn");
    // Files list a module's shortcut last; it runs first, as in the reference network.
    std::rotate(plan.layers.begin() + begin, plan.layers.begin() + aside, plan.layers.end());
    x = make.named(make.add(main, shortcut), name);
  }
  make.average_pool(make.convolution(x, "head", {.out = spec.classes, .kernel = 3, .same = true, .bias = true}));
  mark_lifetimes(plan);
  return plan;
}

const char* name_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConvolution:
      return "convolution";
    case LayerKind::kBatchNorm:
      return "batchNorm";
    case LayerKind::kRelu:
      return "relu";
    case LayerKind::kMaxPool:
      return "maxPool";
    case LayerKind::kAdd:
      return "add";
    case LayerKind::kAveragePool:
      return "averagePool";
  }
  return "";
}

}  // namespace fer
