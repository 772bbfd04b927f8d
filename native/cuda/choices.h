// Which of several implementations of an op runs. They are measured once, the first time the op is submitted with a shape, and
// the choice is kept: for the life of the backend, so that a run's results repeat bit for bit, and in a file, so that the next
// run chooses the same and measures nothing. Backends that live at one time on one device choose the same, too: trainings side by
// side give what each gives alone.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cuda/scratch.h"

namespace fer::cuda {

// How the backend chooses. Without `measures` it takes the first candidate, which is its own kernel of the usual tile.
struct Tuning {
  bool measures = false;
  std::string pinned;                              // candidates whose name begins with this go first, and nothing is measured
  std::filesystem::path folder;                    // of the file; empty: choices end with the backend
  std::function<void*(const char*)> cudnn_symbol;  // null: no cuDNN
  bool cudnn_alone = false;                        // the whole network by cuDNN: cudnn_lowering.h

  // FER_CUDA_KERNELS = measured (default), own, own:<name>, cudnn; FER_CACHE_DIR, or fer-cudnn in the user's cache folder; the
  // system's cuDNN.
  static Tuning from_environment();
};

// One implementation. Candidates of an op leave the same results, up to rounding, whatever was there before.
struct Candidate {
  std::string name;
  std::function<void()> run;
  bool optional = false;  // a library's: it may fail (CudnnFailure) before it has changed anything, and another runs in its place
};
using Candidates = std::vector<Candidate>;

// Device memory that an op updates instead of overwriting: measuring puts it back.
struct Updated {
  float* memory;
  size_t count;
};

// What the backends of a device have measured.
struct KnownChoices {
  struct Choice {
    std::string name;
    float milliseconds;
  };
  std::recursive_mutex mutex;  // whoever holds it measures; a candidate may have choices within it
  std::map<std::string, Choice> by_op;
};

class Choices {
 public:
  // `device` names all that a measured time depends on: GPU, driver, cuDNN. `stream`: where candidates submit to now.
  Choices(Tuning tuning, std::string device, Scratch& scratch, std::function<cudaStream_t()> stream);
  Choices(const Choices&) = delete;
  Choices& operator=(const Choices&) = delete;

  void run(const std::string& op, const Candidates& candidates, const std::vector<Updated>& updated = {});
  bool trying() const { return trying_; }  // a candidate that need not run
  int64_t measured() const { return measured_; }
  const std::set<std::string>& executed() const { return executed_; }  // the names of all that ran

 private:
  bool capturing() const;
  size_t decide(const std::string& op, const Candidates& candidates, const std::vector<Updated>& updated);
  size_t measure(const std::string& op, const Candidates& candidates, const std::vector<Updated>& updated);
  float tried(const std::string& op, const Candidate& candidate);
  float milliseconds(const Candidate& candidate);
  std::filesystem::path file() const;
  static std::shared_ptr<KnownChoices> known_in(const std::filesystem::path& file);
  void read();
  void write() const;

  Tuning tuning_;
  std::string device_;
  Scratch& scratch_;
  std::function<cudaStream_t()> stream_;
  Owned<cudaEvent_t, cudaEventDestroy> begin_, end_;
  bool trying_ = false;
  int64_t measured_ = 0;
  std::shared_ptr<KnownChoices> known_;                    // as the file has them
  std::map<std::string, std::string> fixed_;               // what this backend has run
  std::set<std::pair<std::string, std::string>> refused_;  // op and candidate
  std::set<std::string> executed_;
};

}  // namespace fer::cuda
