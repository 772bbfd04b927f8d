// One kernel's statements made into instructions: names become places in the register file, mnemonics the functions that do them.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "program.h"

namespace ptx {

// An instruction's text in pieces.
struct Words {
  std::string text, mnemonic;
  std::vector<std::string> parts, operands;  // of the mnemonic, by dots
  const std::string& type() const { return parts.back(); }
  const std::string& operand(size_t k) const { return operands.at(k); }
  bool has(const char* part) const;
};

// A `.reg`, `.shared`, `.global` or `.param` declaration of one variable.
Variable declared(const std::string& declaration);

class KernelParser {
 public:
  KernelParser(Kernel& kernel, const std::vector<Variable>& module_shared, const std::map<std::string, uint64_t>& module_globals)
      : kernel_(kernel), module_shared_(module_shared), module_globals_(module_globals) {}

  void add_parameter(const std::string& declaration);
  void add_registers(const std::vector<std::string>& words);
  void add_shared(Variable variable);
  void add_local(Variable variable);
  void add_label(const std::string& name) { labels_[name] = static_cast<uint32_t>(kernel_.code.size()); }
  void open_scope() { scopes_.emplace_back(); }
  void close_scope() { scopes_.pop_back(); }
  void add_instruction(std::string text, int line);
  // Labels become targets.
  void finish();

 private:
  uint32_t take(int bytes);
  uint32_t constant(uint64_t value, int bytes);
  std::pair<uint32_t, int> registered(const std::string& name) const;
  uint32_t symbol(const std::string& name, bool& found);
  // A value of `bytes` (0: predicate): register, special register, constant, or a symbol's address.
  uint32_t value(const std::string& s, int bytes);
  // [register + n], [symbol + n]: fills o[0] and displacement; says the register's bytes.
  int address(const std::string& s, Inst& i);
  // cvt may name a wider register, whose lower part counts.
  uint32_t narrowed(const std::string& s, int bytes, int line);
  void values(const Words& w, Inst& i, int bytes, size_t count);

  // A kind of instruction each: they fill `i`.
  void move(const Words& w, Inst& i);
  void load_or_store(const Words& w, Inst& i);
  void atomic(const Words& w, Inst& i);
  void shuffle(const Words& w, Inst& i);
  void multiply_matrices(const Words& w, Inst& i);
  void convert(const Words& w, Inst& i);
  void set_predicate(const Words& w, Inst& i);
  void select_by_predicate(const Words& w, Inst& i);
  void combine(const Words& w, Inst& i);
  void multiply(const Words& w, Inst& i);
  void multiply_add(const Words& w, Inst& i);
  void bits(const Words& w, Inst& i);
  void one_operand(const Words& w, Inst& i);
  void shift(const Words& w, Inst& i);
  void branch(const Words& w, Inst& i);
  void leave(const Words& w, Inst& i);
  void barrier(const Words& w, Inst& i);
  void membar(const Words& w, Inst& i);
  void insert_bits(const Words& w, Inst& i);

  Kernel& kernel_;
  const std::vector<Variable>& module_shared_;
  const std::map<std::string, uint64_t>& module_globals_;
  std::vector<std::map<std::string, std::pair<uint32_t, int>>> scopes_{1};  // register -> offset, bytes (0: predicate)
  std::vector<Variable> shared_, local_;
  std::map<std::string, uint32_t> parameters_, labels_;
  std::map<std::pair<uint64_t, int>, uint32_t> constants_;
  std::vector<std::pair<size_t, std::string>> jumps_;
  uint32_t registers_ = 64;  // offset 0 stays free: it means none
};

}  // namespace ptx
