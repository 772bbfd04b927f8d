#include "cuda/choices.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <utility>

#include "cuda/cudnn_convolution.h"
#include "cuda/graph.h"

namespace fer::cuda {
namespace {

constexpr const char* kFormat = "fer-cudnn choices 2";  // changes with the kernels' names or speeds
constexpr int kRounds = 3, kRunsARound = 5;

std::filesystem::path cache_folder() {
  if (const char* own = std::getenv("FER_CACHE_DIR")) return own;
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg) return std::filesystem::path(xdg) / "fer-cudnn";
  if (const char* home = std::getenv("HOME"); home && *home) return std::filesystem::path(home) / ".cache" / "fer-cudnn";
  return {};
}

// A copy of memory that measuring will overwrite, put back by `restore`.
class Kept {
 public:
  Kept(const Updated& updated, cudaStream_t stream) : updated_(updated), stream_(stream) {
    check(cudaMalloc(reinterpret_cast<void**>(&copy_), bytes()), "keeping memory while measuring");
    check(cudaMemcpyAsync(copy_, updated.memory, bytes(), cudaMemcpyDeviceToDevice, stream), "keeping memory while measuring");
  }
  Kept(Kept&& other) noexcept : updated_(other.updated_), stream_(other.stream_), copy_(std::exchange(other.copy_, nullptr)) {}
  ~Kept() { cudaFree(copy_); }  // waits for the copies
  void restore() const { check(cudaMemcpyAsync(updated_.memory, copy_, bytes(), cudaMemcpyDeviceToDevice, stream_), "restoring memory"); }

 private:
  size_t bytes() const { return updated_.count * sizeof(float); }
  Updated updated_;
  cudaStream_t stream_;
  float* copy_ = nullptr;
};

}  // namespace

Tuning Tuning::from_environment() {
  const char* value = std::getenv("FER_CUDA_KERNELS");
  const std::string kernels = value && *value ? value : "measured";
  Tuning tuning;
  tuning.folder = cache_folder();
  if (kernels == "own") return tuning;
  if (kernels.starts_with("own:")) return tuning.pinned = kernels.substr(4), tuning;
  if (kernels == "cudnn") tuning.cudnn_alone = true;
  else if (kernels == "measured") tuning.measures = true;
  else throw Error("ERR_FER_ARGUMENT", "expected measured, own, own:<a kernel's name> or cudnn, got " + kernels + ", for FER_CUDA_KERNELS");
  tuning.cudnn_symbol = system_cudnn();
  if (kernels == "cudnn" && !tuning.cudnn_symbol)
    throw Error("ERR_FER_DEVICE_UNAVAILABLE", "FER_CUDA_KERNELS=cudnn asks for cuDNN 9, which was not found. Run fer-cudnn doctor");
  return tuning;
}

Choices::Choices(Tuning tuning, std::string device, Scratch& scratch, std::function<cudaStream_t()> stream)
    : tuning_(std::move(tuning)), device_(std::move(device)), scratch_(scratch), stream_(std::move(stream)), known_(known_in(file())) {
  if (!tuning_.measures) return;
  check(cudaEventCreate(&begin_), "making an event");
  check(cudaEventCreate(&end_), "making an event");
  read();
}

std::shared_ptr<KnownChoices> Choices::known_in(const std::filesystem::path& file) {
  static std::mutex mutex;
  static std::map<std::filesystem::path, std::weak_ptr<KnownChoices>> all;
  const std::lock_guard lock(mutex);
  std::shared_ptr<KnownChoices> known = all[file].lock();
  if (!known) all[file] = known = std::make_shared<KnownChoices>();
  return known;
}

void Choices::run(const std::string& op, const Candidates& candidates, const std::vector<Updated>& updated) {
  for (;;) {
    const Candidate& chosen = candidates[decide(op, candidates, updated)];
    try {
      chosen.run();
      executed_.insert(chosen.name);
      return;
    } catch (const CudnnFailure&) {
      if (!chosen.optional) throw;
      refused_.emplace(op, chosen.name);
      if (capturing()) throw;  // the capture is spoilt: it is begun again
    }
  }
}

bool Choices::capturing() const {
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream_(), &capture), "asking whether a step is being captured");
  return capture != cudaStreamCaptureStatusNone;
}

size_t Choices::decide(const std::string& op, const Candidates& candidates, const std::vector<Updated>& updated) {
  auto named = [&](const std::string& name) {
    size_t i = 0;
    while (i < candidates.size() && (candidates[i].name != name || refused_.contains({op, name}))) ++i;
    return i;
  };
  if (!tuning_.pinned.empty())
    for (size_t i = 0; i < candidates.size(); ++i)
      if (candidates[i].name.starts_with(tuning_.pinned) && !refused_.contains({op, candidates[i].name})) return i;
  if (!tuning_.measures || candidates.size() == 1) return 0;
  std::string& fixed = fixed_[op];
  if (const size_t at = named(fixed); at < candidates.size()) return at;
  size_t best = candidates.size();
  const std::lock_guard lock(known_->mutex);
  if (const auto known = known_->by_op.find(op); known != known_->by_op.end()) best = named(known->second.name);
  if (best == candidates.size()) best = capturing() ? 0 : measure(op, candidates, updated);  // a recorded launch takes no time yet
  fixed = candidates[best].name;
  return best;
}

// The first candidate's scratch memory is kept: it is what training needs if all else fails.
size_t Choices::measure(const std::string& op, const Candidates& candidates, const std::vector<Updated>& updated) {
  std::vector<Kept> kept;
  kept.reserve(updated.size());
  for (const Updated& u : updated) kept.emplace_back(u, stream_());
  size_t best = 0;
  float least = milliseconds(candidates[0]);
  for (size_t i = 1; i < candidates.size(); ++i)
    if (!refused_.contains({op, candidates[i].name}))
      if (const float time = tried(op, candidates[i]); time < least) least = time, best = i;
  for (const Kept& k : kept) k.restore();
  ++measured_;
  known_->by_op[op] = {candidates[best].name, least};
  write();
  return best;
}

// Infinity for a candidate that finds no room for its scratch memory, or fails where it may.
float Choices::tried(const std::string& op, const Candidate& candidate) {
  const struct Trial {
    explicit Trial(Choices& choices) : choices(choices) {
      choices.trying_ = true;
      choices.scratch_.begin_trial();
    }
    ~Trial() {
      choices.trying_ = false;
      choices.scratch_.end_trial();
    }
    Choices& choices;
  } trial(*this);
  try {
    const float time = milliseconds(candidate);
    executed_.insert(candidate.name);
    return time;
  } catch (const CudnnFailure&) {
    if (!candidate.optional) throw;
    refused_.emplace(op, candidate.name);
  } catch (const Error& error) {
    if (error.code() != "ERR_FER_OUT_OF_MEMORY") throw;
  }
  return INFINITY;
}

float Choices::milliseconds(const Candidate& candidate) {
  // Replayed, as in training: launched one by one, short kernels would take as long as their launches.
  std::unique_ptr<Graph> runs;
  while (!runs) {
    candidate.run();  // memory, code and cuDNN's own preparations
    try {
      runs = std::make_unique<Graph>(stream_(), [&] {
        for (int i = 0; i < kRunsARound; ++i) candidate.run();
      });
    } catch (const CudnnFailure&) {
      if (candidate.optional) throw;  // else of a choice within it, which is refused by now
    }
  }
  float least = INFINITY;
  for (int round = 0; round < kRounds; ++round) {
    check(cudaEventRecord(begin_, stream_()), "measuring");
    runs->launch(stream_());
    check(cudaEventRecord(end_, stream_()), "measuring");
    check(cudaEventSynchronize(end_), "measuring");
    float time = 0;
    check(cudaEventElapsedTime(&time, begin_, end_), "measuring");
    least = std::min(least, time / kRunsARound);
  }
  return least;
}

// One file a device: its name with all but letters and digits replaced.
std::filesystem::path Choices::file() const {
  std::string name = device_;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '-';
  return tuning_.folder / ("choices-" + name + ".txt");
}

// Two lines that say whose the choices are; then op, candidate and milliseconds, a tab between them; then the number of choices.
// A file that is not exactly that is as good as none.
void Choices::read() {
  const std::lock_guard lock(known_->mutex);
  if (tuning_.folder.empty() || !known_->by_op.empty()) return;
  std::ifstream in(file());
  std::string line;
  if (!std::getline(in, line) || line != kFormat || !std::getline(in, line) || line != device_) return;
  std::map<std::string, KnownChoices::Choice> choices;
  while (std::getline(in, line)) {
    const size_t first = line.find('\t'), second = line.find('\t', first + 1);
    if (first == std::string::npos) {
      if (line == std::to_string(choices.size())) known_->by_op = std::move(choices);
      return;
    }
    if (second == std::string::npos) return;
    choices[line.substr(0, first)] = {line.substr(first + 1, second - first - 1), std::strtof(line.c_str() + second + 1, nullptr)};
  }
}

void Choices::write() const {
  if (tuning_.folder.empty()) return;
  std::error_code failed;  // a cache that cannot be written is measured again
  std::filesystem::create_directories(tuning_.folder, failed);
  const std::filesystem::path to = file(), temporary = to.string() + '.' + std::to_string(getpid());
  {
    std::ofstream out(temporary);
    out << kFormat << '\n' << device_ << '\n';
    for (const auto& [op, choice] : known_->by_op) out << op << '\t' << choice.name << '\t' << choice.milliseconds << '\n';
    out << known_->by_op.size() << '\n';
    if (!out) failed = std::make_error_code(std::errc::io_error);
  }
  if (!failed) std::filesystem::rename(temporary, to, failed);
  if (failed) std::filesystem::remove(temporary, failed);
}

}  // namespace fer::cuda
