#include "plugin/plugin_backend.h"

namespace fer::plugin {
namespace {

// The ops stay on this side; the plug-in calls back for them.
class PluginProgram final : public Program {
 public:
  PluginProgram(const Table& table, Backend* backend, std::function<void()> ops) : table_(table), ops_(std::move(ops)) {
    Failure failure;
    if (!table_.record(backend, &failure, &program_, submit, this)) rethrow(failure);
  }
  ~PluginProgram() override { table_.destroy_program(program_); }
  PluginProgram(const PluginProgram&) = delete;
  PluginProgram& operator=(const PluginProgram&) = delete;

  void run() override {
    Failure failure;
    if (!table_.run(program_, &failure)) rethrow(failure);
  }

 private:
  static bool submit(void* self, Failure* failure) { return guarded(failure, static_cast<PluginProgram*>(self)->ops_); }

  const Table& table_;
  std::function<void()> ops_;
  Program* program_ = nullptr;
};

}  // namespace

PluginBackend::PluginBackend(const Table& table, int device, const DeviceOptions& options) : table_(table) {
  Failure failure;
  backend_ = table_.make(device, &options, &failure);
  if (!backend_) rethrow(failure);
}

std::string PluginBackend::description() const {
  char text[512] = "";
  Failure failure;
  if (!table_.description(backend_, &failure, text, sizeof text)) rethrow(failure);
  return text;
}

std::unique_ptr<Program> PluginBackend::record(std::function<void()> ops) {
  return std::make_unique<PluginProgram>(table_, backend_, std::move(ops));
}

}  // namespace fer::plugin
