// Construction, dispatch and work splitting of the CPU backend.
#include "cpu/cpu_backend.h"

#include <algorithm>

#include "cpu/scratch_slots.h"

namespace fer::cpu {
namespace {

class CpuProgram final : public Program {
 public:
  CpuProgram(Backend& backend, std::span<const Op> ops) : backend_(backend), ops_(ops.begin(), ops.end()) {}
  void run() override { backend_.run(ops_); }

 private:
  Backend& backend_;
  std::vector<Op> ops_;
};

}  // namespace

CpuBackend::CpuBackend(int threads, const Kernels& kernels) : pool_(std::max(threads, 1)), k_(kernels), scratch_(pool_.size()) {}

std::string CpuBackend::description() const {
  return std::string("CPU, ") + k_.name + " kernels, " + (k_.rounds_in_software ? "bf16 in software, " : "") + std::to_string(pool_.size()) +
         (pool_.size() == 1 ? " thread" : " threads");
}

CpuBackend::Slice CpuBackend::slice(int n, int thread) const {
  const int64_t threads = pool_.size();
  return {static_cast<int>(n * int64_t{thread} / threads), static_cast<int>(n * int64_t{thread + 1} / threads)};
}

void CpuBackend::run(const Op& op) {
  std::visit([this](const auto& one) { run(one); }, op);
}

std::unique_ptr<Program> CpuBackend::record(std::span<const Op> ops) { return std::make_unique<CpuProgram>(*this, ops); }

void CpuBackend::for_each_lane(const std::function<void(int, Backend&)>& body) {
  while (lane_backends_.size() < static_cast<size_t>(pool_.size())) {
    lane_backends_.push_back(std::make_unique<CpuBackend>(1, k_));
    lane_backends_.back()->weights_ = weights_;
  }
  pool_.run([&](int t) { body(t, *lane_backends_[t]); });
}

void CpuBackend::reduce_floats(int slot, size_t count, float* out) {
  std::vector<const float*> parts;
  parts.reserve(scratch_.size());
  for (Scratch& s : scratch_) parts.push_back(s.floats(slot, count));
  auto body = [&](int t) {
    const size_t begin = count * t / pool_.size(), end = count * (t + 1) / pool_.size();
    for (size_t i = begin; i < end; ++i) {
      float sum = parts[0][i];
      for (size_t p = 1; p < parts.size(); ++p) sum += parts[p][i];
      out[i] = sum;
    }
  };
  if (count < 16384)
    for (int t = 0; t < pool_.size(); ++t) body(t);
  else pool_.run(body);
}

const float* CpuBackend::packed(const float* b, int k, int n, bool transposed) {
  float* memory = scratch_[0].floats(kPacked, packed_size(k, n));
  const int panels = (n + 31) / 32, parts = static_cast<int64_t>(k) * n < 65536 ? 1 : pool_.size();
  auto part = [&](int t) { k_.pack(b, k, n, transposed, panels * t / parts * 32, std::min(n, panels * (t + 1) / parts * 32), memory); };
  if (parts == 1) part(0);
  else pool_.run(part);
  return memory;
}

}  // namespace fer::cpu
