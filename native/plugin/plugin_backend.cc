#include "plugin/plugin_backend.h"

#include <vector>

namespace fer::plugin {
namespace {

class PluginProgram final : public Program {
 public:
  PluginProgram(const Table& table, Backend* backend, std::span<const Op> ops) : table_(table) {
    std::vector<PlainOp> plain_ops;
    for (const Op& op : ops) plain_ops.push_back(plain(op));
    Failure failure;
    if (!table_.record(backend, &failure, &program_, plain_ops.data(), plain_ops.size())) rethrow(failure);
  }
  ~PluginProgram() override { table_.destroy_program(program_); }
  PluginProgram(const PluginProgram&) = delete;
  PluginProgram& operator=(const PluginProgram&) = delete;

  void run() override {
    Failure failure;
    if (!table_.replay(program_, &failure)) rethrow(failure);
  }

 private:
  const Table& table_;
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

void PluginBackend::run(const Op& op) {
  const PlainOp crossing = plain(op);
  Failure failure;
  if (!table_.run(backend_, &failure, &crossing)) rethrow(failure);
}

std::unique_ptr<Program> PluginBackend::record(std::span<const Op> ops) { return std::make_unique<PluginProgram>(table_, backend_, ops); }

}  // namespace fer::plugin
