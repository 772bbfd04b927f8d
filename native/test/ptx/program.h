// PTX as it is run: a module's kernels, each a list of instructions with the function that does one, and where its operands lie among
// a warp's registers.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ptx {

struct Warp;
struct Inst;
struct Allocation;
using Handler = void (*)(Warp&, const Inst&, uint32_t mask);
enum class Kind : uint8_t { kNormal, kBranch, kReturn, kBarrier };

struct Inst {
  Handler run = nullptr;
  Kind kind = Kind::kNormal;
  bool leader = false, negated = false;  // begins a basic block; runs where the predicate is false
  uint8_t bytes = 0, count = 1;          // memory: of an element, elements
  uint32_t predicate = 0;                // offset + 1
  uint32_t o[16] = {};                   // operands' offsets in the register file
  int64_t displacement = 0;
  uint32_t target = 0;
  mutable uintptr_t begin = 1, end = 0;  // the allocation last hit
  mutable Allocation* allocation = nullptr;
  int line = 0;
  std::string text;
};

struct Variable {
  std::string name;
  uint32_t align = 1, size = 0, offset = 0;
  std::vector<uint8_t> init;
};
struct Parameter {
  uint32_t offset, size;
};
struct Constant {
  uint32_t offset;
  uint64_t value;
  int bytes;  // 0: a predicate
};

struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  uint32_t parameter_bytes = 0, max_threads = 0, register_bytes = 0, shared_bytes = 0, shared_declared = 0, local_bytes = 0;
  std::vector<Inst> code;
  std::vector<Constant> constants;
  std::map<std::string, uint32_t> special;  // %tid.x ... -> register offset
  std::vector<uint8_t> shared_valid;        // by byte: some variable's, not the gap between two
};

struct Module {
  std::vector<std::unique_ptr<Kernel>> kernels;
  std::map<std::string, Kernel*> by_name;
  std::vector<std::vector<uint8_t>> globals;
};

// Throws std::runtime_error for whatever is not known: nothing is passed over that could change a result.
std::unique_ptr<Module> parse(const std::string& text);

}  // namespace ptx
