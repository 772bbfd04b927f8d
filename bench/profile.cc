// Where a training step's time goes, kernel by kernel and shape by shape, on one thread.
//
//   scripts/profile.sh [narrow|wide] [steps] [fp32|bf16]
//
// Each call of a kernel is timed in every step, and its fastest time counts: neighbours on the machine only ever add
// time, and the calls are short. "passes" is what no kernel accounts for: packing, gathering, the optimiser.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <numeric>

#include "network/trainer.h"
#include "cpu/cpu_backend.h"

namespace {

using namespace fer;
using cpu::Kernels;

struct Call {
  const char* kernel;
  long shape[3];  // m, k, n of a product; count or size, and channels, of a pass
  double flops, seconds;
};

const Kernels* real;
std::vector<Call> fastest;  // of each call of a step, in order
size_t position = 0;

template <class T>
void note(long (&shape)[3], int& count, T value) {
  if constexpr (std::is_integral_v<T>)
    if (count < 3) shape[count++] = static_cast<long>(value);
  if constexpr (std::is_same_v<T, cpu::Rows> || std::is_same_v<T, cpu::RowsOf<cpu::Bf16>>)
    if (count < 3) shape[count++] = long{value.segments} * value.k;
}

// The table that a kernel is in: of floats, of bf16 in memory, or `pack`'s.
template <class Table, class Of>
Table& part(Of& all) {
  if constexpr (std::is_same_v<std::remove_const_t<Table>, cpu::KernelsOf<cpu::Bf16>>) return all.half;
  else return all;
}

template <auto Member>
struct Timed;
template <class Table, class... Args, void (*Table::*Member)(Args...)>
struct Timed<Member> {
  static inline const char* name;
  static void call(Args... args) {
    const auto start = std::chrono::steady_clock::now();
    (part<const Table>(*real).*Member)(args...);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (position == fastest.size()) {
      Call& c = fastest.emplace_back(Call{name, {}, 0, seconds});
      int count = 0;
      (note(c.shape, count, args), ...);
      c.flops = count == 3 ? 2.0 * static_cast<double>(c.shape[0]) * static_cast<double>(c.shape[1]) * static_cast<double>(c.shape[2]) : 0;
    }
    fastest[position].seconds = std::min(fastest[position].seconds, seconds);
    ++position;
  }
  static void wrap(Kernels& all, const char* named) {
    name = named;
    part<Table>(all).*Member = call;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const bool wide = argc > 1 && !std::strcmp(argv[1], "wide");
  const int steps = argc > 2 ? std::atoi(argv[2]) : (wide ? 6 : 60), batch = 40;

  const bool bf16 = argc > 3 && !std::strcmp(argv[3], "bf16");
  real = &(bf16 ? cpu::instruction_set().bf16() : cpu::instruction_set().fp32());
  Kernels table = *real;
  Timed<&Kernels::pack>::wrap(table, "pack");
#define FER_TIME(kernel)                                          \
  Timed<&cpu::KernelsOf<float>::kernel>::wrap(table, #kernel);    \
  Timed<&cpu::KernelsOf<cpu::Bf16>::kernel>::wrap(table, #kernel " (bf16)")
  FER_TIME(multiply_rows);
  FER_TIME(multiply_rows_to_floats);
  FER_TIME(accumulate_outer);
  FER_TIME(apply);
  FER_TIME(column_sums);
  FER_TIME(depthwise);
  FER_TIME(depthwise_of_floats);
  FER_TIME(depthwise_weight_gradient);
  FER_TIME(batch_norm_backward);
  FER_TIME(pool_batch_norm_backward);
  FER_TIME(mask_and_sum);
  FER_TIME(pool_add);
  FER_TIME(pool_add_sums);
  FER_TIME(add_at_even);
  FER_TIME(widen);
  FER_TIME(narrow);
#undef FER_TIME

  auto data = std::make_shared<DataSet>();
  data->size = 48;
  data->images.resize(size_t{48} * 48 * batch);
  data->labels.resize(batch);
  for (size_t i = 0; i < data->images.size(); ++i) data->images[i] = static_cast<uint8_t>(static_cast<uint32_t>(i) * 2654435761u >> 24);
  for (int i = 0; i < batch; ++i) data->labels[i] = static_cast<uint8_t>(i % 7);
  Spec spec;
  spec.stem[0] = wide ? 32 : 8;
  spec.stem[1] = wide ? 64 : 8;
  spec.modules = wide ? std::vector<int>{128, 256, 512, 1024} : std::vector<int>{16, 32, 64, 128};
  spec.classes = 7;
  spec.input_size = 48;
  auto network = std::make_shared<Network>(spec, std::make_unique<cpu::CpuBackend>(1, table), 1);
  TrainerOptions options;
  options.batch_size = batch;
  Trainer trainer(network, data, options);

  double step_seconds = 1e9;
  std::atomic<bool> cancelled{false};
  for (int s = 0; s < steps; ++s) {
    EpochRequest request;
    request.rows.resize(batch);
    std::iota(request.rows.begin(), request.rows.end(), 0u);
    request.learning_rates = {0.001f};
    position = 0;
    const auto start = std::chrono::steady_clock::now();
    trainer.train_epoch(request, cancelled, {});
    step_seconds = std::min(step_seconds, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }

  std::map<std::string, Call> rows;
  std::map<std::string, int> calls;
  double kernels = 0;
  for (const Call& c : fastest) {
    char key[96];
    std::snprintf(key, sizeof key, "%-32s %6ld %5ld %5ld", c.kernel, c.shape[0], c.shape[1], c.shape[2]);
    Call& row = rows.try_emplace(key, Call{c.kernel, {}, 0, 0}).first->second;
    row.seconds += c.seconds;
    row.flops += c.flops;
    kernels += c.seconds;
    ++calls[key];
  }
  std::vector<std::pair<std::string, Call>> sorted(rows.begin(), rows.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  std::printf("%s, batch %d, 1 thread, %s, %s: fastest step %.2f ms, kernels %.2f ms\n", wide ? "wide" : "narrow", batch, real->name, bf16 ? "bf16" : "fp32", step_seconds * 1e3,
              kernels * 1e3);
  std::map<std::string, double> totals;
  for (const auto& [key, row] : sorted) {
    totals[row.kernel] += row.seconds;
    std::printf("%s %5d calls %9.3f ms %5.1f %%", key.c_str(), calls[key], row.seconds * 1e3, 100 * row.seconds / kernels);
    if (row.flops > 0) std::printf("  %6.1f GFLOP/s", row.flops / row.seconds * 1e-9);
    std::printf("\n");
  }
  for (const auto& [kernel, seconds] : totals) std::printf("total %-32s %9.3f ms %5.1f %%\n", kernel.c_str(), seconds * 1e3, 100 * seconds / kernels);
}
