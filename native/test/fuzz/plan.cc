// Any widths, classes and input size are refused, or make a plan whose sizes are what 128-bit arithmetic says of them.
#include "network/plan.h"

#include <algorithm>

#include "cpu/cpu_backend.h"
#include "network/pass.h"
#include "test/fuzz/input.h"

namespace fer::fuzz {
namespace {

__extension__ using Wide = unsigned __int128;

// Tensors lie one after another in their memory, and every value has its place within its own.
void check_tensors(const Plan& plan, Input& input) {
  Wide parameters = 0, statistics = 0, published = 0;
  for (const TensorInfo& tensor : plan.tensors) {
    Wide& end = tensor.trainable ? parameters : statistics;
    must(tensor.offset == end, "tensors lie one after another");
    end += (Wide{tensor.size} + 15) / 16 * 16;
    Wide count = 1;
    for (const int extent : tensor.shape) {
      must(extent > 0, "a tensor has no empty dimension");
      count *= static_cast<unsigned>(extent);
    }
    must(count == tensor.element_count() && count <= tensor.size, "a tensor's memory holds its values");
    if (tensor.trainable) published += count;
    for (const size_t i : {size_t{0}, static_cast<size_t>(count) - 1, static_cast<size_t>(input.any<uint64_t>() % count)})
      must(tensor.native_index(i) < tensor.size, "a value lies in its tensor's memory");
  }
  must(parameters == plan.parameter_floats && statistics == plan.statistic_floats, "the memory's size is the sum of its tensors");
  must(published == plan.parameter_count, "the published count is that of trainable values");
}

void check_layers(const Plan& plan) {
  Wide multiply_adds = 0;
  for (const Layer& layer : plan.layers) {
    const Value &in = plan.values[layer.inputs[0]], &out = plan.values[layer.output];
    must(out.size > 0 && out.channels > 0 && out.padded >= out.channels, "a value has pixels and channels");
    must(Wide{out.floats()} == Wide{static_cast<unsigned>(out.size)} * out.size * out.padded, "a value's size is what its sides say");
    if (layer.kind != LayerKind::kConvolution) continue;
    const TensorInfo& weight = plan.tensors[layer.tensors[0]];
    must(weight.out_padded == out.padded && (layer.depthwise || weight.in_padded == in.padded), "a weight is stored as the values beside it");
    const Wide products = Wide{static_cast<unsigned>(layer.kernel)} * layer.kernel * (layer.depthwise ? 1 : in.channels);
    multiply_adds += products * out.channels * out.size * out.size;
  }
  must(multiply_adds == static_cast<Wide>(plan.multiply_adds), "the multiply-adds are those of the convolutions");
}

// Of an image: at least what has to be kept of it, and no more than all values, gradients and depthwise results beside each other.
void check_memory(const Plan& plan) {
  static cpu::CpuBackend backend(1);
  const Fusion fusion = fuse(plan);
  Wide all = 0;
  for (const Value& value : plan.values) all += Wide{value.floats()} * sizeof(float);
  for (const Purpose purpose : {Purpose::kInference, Purpose::kTraining, Purpose::kExplanation}) {
    const Wide bytes = Pass::bytes_an_image(backend, plan, fusion, purpose);
    must(bytes >= plan.values[0].floats() * sizeof(float), "a pass holds its input");
    must(bytes <= 4 * all + (Wide{1} << 20), "a pass holds no more than its values, their gradients and what lies between");
  }
}

}  // namespace
}  // namespace fer::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fer;
  fuzz::Input input(data, size);
  const int alignment = 1 << input.between(0, 6);
  const int widest = input.yes() ? 4096 : 40;
  Spec spec;
  for (int& channels : spec.stem) channels = input.about(1, widest);
  spec.modules.resize(static_cast<size_t>(input.between(0, 20)));
  for (int& channels : spec.modules) channels = input.about(1, widest);
  spec.classes = input.yes() ? input.any<int>() : input.between(0, 255);
  spec.input_size = input.yes() ? input.any<int>() : 4 * input.between(1, 130);
  fuzz::runs(
      [&] {
        const Plan plan = make_plan(spec, alignment);
        fuzz::check_tensors(plan, input);
        fuzz::check_layers(plan);
        fuzz::check_memory(plan);
      },
      {"ERR_FER_ARGUMENT"});
  return 0;
}
