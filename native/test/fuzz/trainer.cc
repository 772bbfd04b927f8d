// Everything that a checkpoint, a data set or a caller hands to the core: sizes of data sets, options of a trainer, an epoch's
// rows, learning rates and totals, tensors of any length. Refused, or an epoch whose totals follow from what was asked.
#include "network/trainer.h"

#include <algorithm>
#include <cmath>

#include "cpu/cpu_backend.h"
#include "network/explain.h"
#include "test/fuzz/input.h"

namespace fer::fuzz {
namespace {

std::shared_ptr<const DataSet> data_set(Input& input) {
  auto data = std::make_shared<DataSet>();
  data->size = input.about(8, 11);
  data->labels.resize(static_cast<size_t>(input.between(0, 6)));
  for (uint8_t& label : data->labels) label = static_cast<uint8_t>(input.between(0, 3));
  const size_t side = std::clamp(data->size, 0, 64);
  data->images.resize(data->labels.size() * side * side + (input.between(0, 31) == 31 ? input.between(0, 255) : 0));
  for (size_t i = 0; i < data->images.size(); ++i) data->images[i] = static_cast<uint8_t>(i * 31);
  return data;
}

TrainerOptions options(Input& input) {
  TrainerOptions o;
  o.batch_size = input.about(1, 4);
  if (o.batch_size > 64) o.batch_size = std::numeric_limits<int>::max();  // what lies between only takes the machine's memory
  o.optimizer = static_cast<OptimizerKind>(input.between(0, 2));
  o.ema_decay = input.yes() ? 0.9f : 0.f;
  o.class_weights.resize(input.yes() ? 0 : static_cast<size_t>(input.between(0, 4)), 1.f);
  o.sampling = {.balance = input.yes() ? 0.5f : 0.f, .rare_augmentation = input.yes() ? 1.f : 0.f};
  if (input.yes())
    o.augmentation = {.flip = 0.5f,
                      .geometric = 1,
                      .rotation = input.about(0.f, 180.f),
                      .shift = input.about(0.f, 1.f),
                      .zoom = input.about(0.f, 0.9f),
                      .photometric = 1,
                      .brightness = input.about(0.f, 1.f),
                      .contrast = input.about(0.f, 1.f),
                      .cutout = 1,
                      .cutout_size = input.about(0.f, 1.f),
                      .black_fill = input.yes(),
                      .nearest = 0.5f};
  return o;
}

EpochRequest request(Input& input) {
  EpochRequest r;
  r.epoch = input.any<uint8_t>();
  r.rows.resize(static_cast<size_t>(input.between(0, 8)));
  for (uint32_t& row : r.rows) row = input.about(0u, 3u);
  r.learning_rates.resize(static_cast<size_t>(input.between(0, 4)));
  for (float& rate : r.learning_rates) rate = input.about(0.f, 0.1f);
  r.from = {.loss_sum = input.about(0.0, 0.0),
            .correct = input.about<int64_t>(0, 1),
            .seen = input.about<int64_t>(0, 4),
            .step = input.about<int64_t>(0, 1)};
  return r;
}

// Tensors of a model or of an optimiser's state, of any length.
void set_a_tensor(Network& network, float* base, Input& input) {
  const std::vector<TensorInfo>& tensors = network.plan().tensors;
  const TensorInfo& tensor = tensors[input.between(0, static_cast<int>(tensors.size()) - 1)];
  if (!tensor.trainable) return;
  const auto more = static_cast<ptrdiff_t>(input.about(0, 0));
  const auto count = std::clamp<ptrdiff_t>(static_cast<ptrdiff_t>(tensor.element_count()) + more, 0, 1 << 12);
  const std::vector<float> values(static_cast<size_t>(count), input.about(-1.f, 1.f));
  runs([&] { network.write_to(base, tensor, values); }, {"ERR_FER_MODEL_FORMAT"});
}

void run(Input& input) {
  Spec spec;
  std::fill(std::begin(spec.stem), std::end(spec.stem), input.between(1, 3));
  spec.modules.assign(static_cast<size_t>(input.between(1, 2)), input.between(1, 9));
  spec.classes = input.between(2, 4);
  spec.input_size = input.between(8, 10);
  const auto network = std::make_shared<Network>(spec, std::make_unique<cpu::CpuBackend>(1), 1);
  const auto data = data_set(input);
  Trainer trainer(network, data, options(input));
  if (input.yes()) set_a_tensor(*network, trainer.moment1(), input);
  runs([&] { trainer.set_step_count(input.about<int64_t>(0, 2)); }, {"ERR_FER_ARGUMENT"});
  for (int epochs = input.between(1, 2); epochs > 0; --epochs) {
    const EpochRequest asked = request(input);
    const int64_t before = trainer.step_count();
    std::atomic<bool> cancelled = false;
    const EpochTotals totals = trainer.train_epoch(asked, cancelled, [&](const EpochTotals&) { cancelled = input.between(0, 7) == 7; });
    const auto rows = static_cast<int64_t>(asked.rows.size());
    must(totals.seen >= asked.from.seen && totals.seen <= rows, "no more images are seen than there are");
    must(totals.correct >= 0 && totals.correct <= totals.seen, "no more are right than were seen");
    must(trainer.step_count() - before == totals.step - asked.from.step, "every step is counted");
    must(cancelled || totals.seen == rows, "an epoch ends with its last image");
  }
  if (input.yes()) runs([&] { trainer.copy_average_to(*network); }, {"ERR_FER_ARGUMENT"});
  if (data->count() > 0 && input.yes()) {
    const uint32_t row = 0;
    must(network->infer(data->images.data(), data->size, &row, 1, input.yes()).size() == static_cast<size_t>(spec.classes), "a logit comes a class");
    const std::vector<uint8_t> image(static_cast<size_t>(spec.input_size) * spec.input_size, 9);
    const ExplainRequest question = {.layer = input.yes() ? "stem.2" : "modules.1", .target = input.about(-1, 2), .guided = input.yes()};
    grad_cam(explain(*network, image.data(), spec.input_size, question));
  }
}

}  // namespace
}  // namespace fer::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fer::fuzz;
  Input input(data, size);
  runs([&] { run(input); }, {"ERR_FER_ARGUMENT", "ERR_FER_OUT_OF_MEMORY"});
  return 0;
}
