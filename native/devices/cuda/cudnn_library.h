// cuDNN 9, opened at run time from wherever the machine has it. The backend works without: its own kernels do everything.
//
// libcudnn.so.9 is a thin door to half a dozen sub-libraries which it opens at its first calls, and it aborts the process when
// one cannot be opened. So each of them is opened here first, from libcudnn.so.9's own folder. What it opens of others when a
// convolution runs, cuBLAS and NVRTC, lies beside it where pip installs, which is no folder that the loader searches.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace fer::cuda {

// What a search for cuDNN found.
struct CudnnProbe {
  std::string library;                // path of libcudnn.so.9, or its bare name where the system's loader found it; empty: none
  size_t version = 0;                 // as cudnnGetVersion() says it, such as 91002; 0: not known, because it cannot be used
  std::string note;                   // what it does without and what to do, a sentence; empty: nothing
  std::string problem;                // why it cannot be used and what to do, a sentence; empty: it can
  std::vector<std::string> searched;  // places, in order
  bool usable() const { return problem.empty(); }
  std::string version_text() const;  // "9.10.2"
};

// cuDNN opened for good: it is never unloaded, which it would not survive.
class CudnnLibrary {
 public:
  // Looks for cuDNN and opens it, without keeping more than the loader keeps. Never throws, never aborts.
  static CudnnProbe probe();

  // Opens cuDNN. Throws ERR_FER_DEVICE_UNAVAILABLE with the probe's `problem`.
  CudnnLibrary();

  const CudnnProbe& found() const { return found_; }
  // libcudnn.so.9, for dlsym.
  void* handle() const { return handle_; }
  // A function by its name: cudnn.function<decltype(cudnnCreate)>("cudnnCreate")(&h). Throws ERR_FER_DEVICE_UNAVAILABLE where
  // this cuDNN has none of that name.
  template <class Signature>
  Signature* function(const char* name) const {
    return reinterpret_cast<Signature*>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;
  CudnnProbe found_;
  void* handle_ = nullptr;
};

}  // namespace fer::cuda
