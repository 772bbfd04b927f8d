// Devices, memory and recorded programs of the CUDA backend.
#include "cuda/cuda_backend.h"

#include <memory>
#include <utility>

#include "cuda/graph.h"

namespace fer::cuda {
namespace {

// `name` is how messages call the device, such as "gpu:1".
int checked_device(int device, const std::string& name) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0)
    throw Error("ERR_FER_DEVICE_UNAVAILABLE", std::string("no CUDA device can be used: ") +
                                                  (status == cudaSuccess ? "the driver lists none" : cudaGetErrorString(status)) +
                                                  ". Run fer-cudnn doctor. Nothing was run on another device instead");
  if (device < 0 || device >= count) {
    const std::string kind = name.substr(0, name.rfind(':') + 1);
    throw Error("ERR_FER_DEVICE_UNAVAILABLE",
                "there is no device " + name + "; this machine has " + kind + '0' + (count > 1 ? " to " + kind + std::to_string(count - 1) : ""));
  }
  check(cudaSetDevice(device), "choosing the device");
  return device;
}

// Runs its ops directly the first time, so that scratch memory is there, captures them the second time, then replays.
class GraphProgram final : public Program {
 public:
  GraphProgram(Backend& backend, int device, const Workspace& work, std::span<const Op> ops)
      : backend_(backend), device_(device), work_(work), ops_(ops.begin(), ops.end()) {}
  ~GraphProgram() override {
    cudaSetDevice(device_);
    forget();
  }

  void run() override {
    check(cudaSetDevice(device_), "choosing the device");
    if (const int64_t now = work_.memory_generation(); std::exchange(generation_, now) != now) forget();
    if (runs_++ == 0 || (!graph_ && !capture())) return backend_.run(ops_);
    graph_->launch(work_.stream());
  }

 private:
  void forget() {
    graph_.reset();
    runs_ = 0;
  }

  // False where cuDNN failed: what did is left out from then on, and what runs in its place must run directly first, too.
  bool capture() {
    try {
      graph_ = std::make_unique<Graph>(work_.stream(), [&] { backend_.run(ops_); });
      return true;
    } catch (const CudnnFailure&) {
      if (work_.cudnn_alone()) throw;
      return false;
    }
  }

  Backend& backend_;
  int device_;
  const Workspace& work_;
  std::vector<Op> ops_;
  int64_t runs_ = 0, generation_ = 0;
  std::unique_ptr<Graph> graph_;
};

std::string precision_text(Precision asked, Precision given) {
  auto name = [](Precision p) { return p == Precision::kFp32 ? "fp32" : p == Precision::kTf32 ? "tf32" : "bf16"; };
  return asked == given
             ? name(given)
             : std::string(name(given)) + " (" + name(asked) + " was asked for; its tensor cores, older than compute capability 8.0, do not know it)";
}

}  // namespace

CudaBackend::CudaBackend(int device, const DeviceOptions& options, Tuning tuning)
    : name_(*options.name ? options.name : "gpu:" + std::to_string(device)),
      device_(checked_device(device, name_)),
      asked_(options.precision),
      work_(std::make_unique<Workspace>(device, options.precision, std::move(tuning))),
      cudnn_(work_->cudnn_alone() ? std::make_unique<CudnnLowering>(*work_) : nullptr) {}

CudaBackend::~CudaBackend() { cudaSetDevice(device_); }

void CudaBackend::enter() const { check(cudaSetDevice(device_), "choosing the device"); }

std::string CudaBackend::description() const {
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, device_), "reading the device's properties");
  return name_ + ", " + properties.name + ", compute capability " + std::to_string(properties.major) + '.' + std::to_string(properties.minor) + ", " +
         precision_text(asked_, work_->precision()) + (cudnn_ ? ", by cuDNN alone" : "") +
         (work_->cudnn_problem().empty() ? "" : ", without cuDNN: " + work_->cudnn_problem());
}

void* CudaBackend::allocate(size_t bytes) {
  enter();
  void* memory = nullptr;
  cudaError_t status = cudaMalloc(&memory, bytes ? bytes : 1);
  if (status == cudaErrorMemoryAllocation && work_->give_up_cudnn()) {
    cudaGetLastError();
    status = cudaMalloc(&memory, bytes ? bytes : 1);
  }
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // an allocation that failed leaves the device usable
    throw Error("ERR_FER_OUT_OF_MEMORY",
                name_ + " could not allocate " + std::to_string(bytes) + " bytes; " + std::to_string(free_bytes()) + " are free");
  }
  check(status, "allocating memory");
  check(cudaMemsetAsync(memory, 0, bytes, work_->stream()), "clearing memory");
  return memory;
}

size_t CudaBackend::free_bytes() const {
  enter();
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "asking for free memory");
  return free;
}

void CudaBackend::release(void* pointer) {
  cudaSetDevice(device_);
  cudaFree(pointer);  // waits for the work that uses it
}

void CudaBackend::upload(void* device, const void* host, size_t bytes) {
  enter();
  check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, work_->stream()), "copying to the GPU");
  // The caller may change `host` at once; from pageable memory the copy has been staged by now, from pinned memory not.
  check(cudaStreamSynchronize(work_->stream()), "copying to the GPU");
}

void CudaBackend::download(void* host, const void* device, size_t bytes) {
  enter();
  check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, work_->stream()), "copying from the GPU");
  check(cudaStreamSynchronize(work_->stream()), "running on the GPU");
}

void CudaBackend::copy(void* to, const void* from, size_t bytes) {
  enter();
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, work_->stream()), "copying on the GPU");
}

void CudaBackend::zero(void* device, size_t bytes) {
  enter();
  check(cudaMemsetAsync(device, 0, bytes, work_->stream()), "clearing memory");
}

void CudaBackend::run(const Op& op) {
  enter();
  std::visit(
      [this](const auto& one) {
        if constexpr (requires { cudnn_->run(one); })
          if (cudnn_) return cudnn_->run(one);
        run(one);
      },
      op);
}

std::unique_ptr<Program> CudaBackend::record(std::span<const Op> ops) { return std::make_unique<GraphProgram>(*this, device_, *work_, ops); }

}  // namespace fer::cuda
