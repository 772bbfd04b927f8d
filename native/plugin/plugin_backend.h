// A backend that lives in a plug-in, as the addon sees it: every op crosses interface.h and comes back, or throws here.
#pragma once
#include "plugin/interface.h"

namespace fer::plugin {

class PluginBackend final : public Backend {
 public:
  // `table` lives as long as the process: plug-ins are not unloaded.
  PluginBackend(const Table& table, int device, const DeviceOptions& options);
  ~PluginBackend() override { table_.destroy(backend_); }
  PluginBackend(const PluginBackend&) = delete;
  PluginBackend& operator=(const PluginBackend&) = delete;

  std::string description() const override;
  int threads() const override { return call(table_.threads); }
  int channel_alignment() const override { return call(table_.channel_alignment); }
  bool keeps_depthwise() const override { return call(table_.keeps_depthwise); }

  void* allocate(size_t bytes) override { return call(table_.allocate, bytes); }
  void release(void* pointer) override { call(table_.release, pointer); }
  size_t free_bytes() const override { return call(table_.free_bytes); }
  void upload(void* device, const void* host, size_t bytes) override { call(table_.upload, device, host, bytes); }
  void download(void* host, const void* device, size_t bytes) override { call(table_.download, host, device, bytes); }
  void copy(void* to, const void* from, size_t bytes) override { call(table_.copy, to, from, bytes); }
  void zero(void* device, size_t bytes) override { call(table_.zero, device, bytes); }

  bool asynchronous() const override { return call(table_.asynchronous); }
  void run(const Op& op) override;
  std::unique_ptr<Program> record(std::span<const Op> ops) override;

  // A device has one lane: its parallelism is within the ops.
  int lanes() const override { return 1; }
  int inference_batch() const override { return call(table_.inference_batch); }
  void for_each_lane(const std::function<void(int, Backend&)>& body) override { body(0, *this); }

 private:
  template <class R, class... P, class... A>
  R call(bool (*function)(Backend*, Failure*, R*, P...), A&&... arguments) const {
    Failure failure;
    if constexpr (std::is_void_v<R>) {
      if (!function(backend_, &failure, nullptr, arguments...)) rethrow(failure);
    } else {
      R result{};
      if (!function(backend_, &failure, &result, arguments...)) rethrow(failure);
      return result;
    }
  }

  const Table& table_;
  Backend* backend_;
};

}  // namespace fer::plugin
