// What nvcc's objects register of themselves: fat binaries, of which the PTX is taken, and kernels by the address of their host stubs.
#include <cuda_runtime.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <unordered_map>

#include "interpreter.h"
#include "report.h"
#include "streams.h"

using cuda_on_host::machine;
using ptx::machine_lock;

namespace {

// FER_PTX_MUTATE=kernel|find|replace|occurrence: to see that a fault is found.
std::string mutated(std::string text) {
  const char* m = std::getenv("FER_PTX_MUTATE");
  if (!m) return text;
  std::vector<std::string> part{""};
  for (const char* p = m; *p; ++p)
    if (*p == '|') part.emplace_back();
    else part.back() += *p;
  size_t at = 0;
  do {
    at = text.find(".entry", at + 1);
    if (at == std::string::npos) return text;
  } while (text.substr(at, text.find('(', at) - at).find(part[0]) == std::string::npos);
  const size_t end = std::min(text.find(".entry", at + 1), text.size());
  size_t where = at;
  for (int n = std::atoi(part[3].c_str()); n > 0; --n) {
    where = text.find(part[1], where + 1);
    if (where == std::string::npos || where > end) return std::fprintf(stderr, "MUTATE: nothing found\n"), text;
  }
  std::fprintf(stderr, "MUTATE %s -> %s\n", text.substr(where, text.find('\n', where) - where).c_str(), part[2].c_str());
  return text.replace(where, part[1].size(), part[2]);
}

struct Function {
  std::string name;
  struct Binary* binary;
};
struct Binary {
  const uint8_t* data;
  std::unique_ptr<ptx::Module> module;
  void load() {
    if (module) return;
    const char* wanted = std::getenv("FER_PTX_ARCHITECTURE");
    const auto arch = static_cast<uint32_t>(wanted ? std::atoi(wanted) : 80);
    auto u16 = [&](size_t at) {
      uint16_t v;
      memcpy(&v, data + at, 2);
      return v;
    };
    auto u32 = [&](size_t at) {
      uint32_t v;
      memcpy(&v, data + at, 4);
      return v;
    };
    auto u64 = [&](size_t at) {
      uint64_t v;
      memcpy(&v, data + at, 8);
      return v;
    };
    if (u32(0) != 0xBA55ED50) throw std::runtime_error("no fat binary");
    const size_t end = u16(6) + u64(8);
    for (size_t at = u16(6); at < end;) {
      const uint16_t kind = u16(at);
      const uint32_t header = u32(at + 4), sm = u32(at + 28);
      const uint64_t size = u64(at + 8);
      if (kind == 1 && sm == arch) {
        const char* text = reinterpret_cast<const char*>(data + at + header);
        module = ptx::parse(mutated(std::string(text, strnlen(text, size))));
      }
      at += header + size;
    }
    if (!module) throw std::runtime_error("no PTX of that architecture");
  }
};
std::vector<std::unique_ptr<Binary>>& binaries() {
  static std::vector<std::unique_ptr<Binary>> all;
  return all;
}
std::unordered_map<const void*, Function>& functions() {
  static std::unordered_map<const void*, Function> all;
  return all;
}
}  // namespace

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper) {
  struct Wrapper {
    int magic, version;
    const void* data;
    void* file;
  };
  auto b = std::make_unique<Binary>();
  b->data = static_cast<const uint8_t*>(static_cast<Wrapper*>(wrapper)->data);
  binaries().push_back(std::move(b));
  return reinterpret_cast<void**>(binaries().back().get());
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterFunction(void** handle, const char* host, char*, const char* name, int, uint3*, uint3*, dim3*, dim3*, int*) {
  functions()[host] = {name, reinterpret_cast<Binary*>(handle)};
}
unsigned __cudaPushCallConfiguration(dim3, dim3, size_t, struct CUstream_st*) { std::abort(); }
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, size_t*, void*) { std::abort(); }

cudaError_t cudaLaunchKernel(const void* host, dim3 grid, dim3 block, void** arguments, size_t dynamic, cudaStream_t stream) {
  const std::lock_guard lock(machine_lock());
  const auto found = functions().find(host);
  if (found == functions().end()) return cudaErrorInvalidDeviceFunction;
  Function& f = found->second;
  f.binary->load();
  const auto k = f.binary->module->by_name.find(f.name);
  if (k == f.binary->module->by_name.end()) {
    ptx::report("no such kernel", f.name, "");
    return cudaErrorInvalidDeviceFunction;
  }
  const ptx::Kernel& kernel = *k->second;
  const unsigned threads = block.x * block.y * block.z;
  std::string wrong;
  if (!grid.x || !grid.y || !grid.z || !threads) wrong = "an empty grid or block";
  if (grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535) wrong = "too large a grid";
  if (threads > 1024 || (kernel.max_threads && threads > kernel.max_threads)) wrong = "more threads than the kernel's bounds";
  if (kernel.shared_declared > 49152) wrong = std::to_string(kernel.shared_declared) + " bytes of static shared memory";
  if (kernel.parameter_bytes > 4096) wrong = "too many bytes of parameters";
  if (dynamic) wrong = "dynamic shared memory is not known here";
  if (!wrong.empty()) {
    ptx::report("a launch the run time refuses", kernel.name,
                wrong + ", grid " + std::to_string(grid.x) + ' ' + std::to_string(grid.y) + ' ' + std::to_string(grid.z));
    return cudaErrorInvalidConfiguration;
  }
  std::vector<std::vector<uint8_t>> values;
  for (size_t p = 0; p < kernel.parameters.size(); ++p) {
    const auto* from = static_cast<const uint8_t*>(arguments[p]);
    values.emplace_back(from, from + kernel.parameters[p].size);
  }
  ptx::submit(stream, [=, &kernel, values = std::move(values)](ptx::Clock& clock) {
    ++machine().launches;
    std::vector<void*> pointers;
    for (const auto& v : values) pointers.push_back(const_cast<uint8_t*>(v.data()));
    ptx::launch(kernel, {grid.x, grid.y, grid.z}, {block.x, block.y, block.z}, pointers.data(), clock, machine().reversed);
  });
  return cudaSuccess;
}

}  // extern "C"
