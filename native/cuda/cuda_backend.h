// The CUDA backend: every op is one or two launches on one stream, and a recorded sequence of them is replayed as a CUDA
// graph. Kernels sum without atomics, so results are the same bit for bit whenever they are run again on the same device.
#pragma once
#include "backend.h"
#include "cuda/cudnn_lowering.h"
#include "cuda/workspace.h"

namespace fer::cuda {

class CudaBackend final : public Backend {
 public:
  // Throws ERR_FER_DEVICE_UNAVAILABLE where there is no device of that number. As `tuning` stands, own kernels run and none
  // is measured.
  explicit CudaBackend(int device, const DeviceOptions& options = {}, Tuning tuning = {});
  ~CudaBackend() override;
  CudaBackend(const CudaBackend&) = delete;
  CudaBackend& operator=(const CudaBackend&) = delete;

  std::string description() const override;
  int threads() const override { return 1; }
  int channel_alignment() const override { return 8; }
  bool keeps_depthwise() const override { return true; }

  void* allocate(size_t bytes) override;
  void release(void* pointer) override;
  size_t free_bytes() const override;
  void upload(void* device, const void* host, size_t bytes) override;
  void download(void* host, const void* device, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;
  void zero(void* device, size_t bytes) override;

  bool asynchronous() const override { return true; }
  void run(const Op& op) override;
  std::unique_ptr<Program> record(std::span<const Op> ops) override;

  const Choices& choices() const { return work_->choices(); }

  int lanes() const override { return 1; }
  int inference_batch() const override { return 256; }
  void for_each_lane(const std::function<void(int, Backend&)>& body) override { body(0, *this); }

 private:
  FER_RUNS_EVERY_OP

  // Calls come from any thread; each must see this backend's device.
  void enter() const;
  std::string name_;
  int device_;
  Precision asked_;
  std::unique_ptr<Workspace> work_;
  std::unique_ptr<CudnnLowering> cudnn_;  // null: own kernels, and cuDNN's convolutions where those are faster
};

}  // namespace fer::cuda
