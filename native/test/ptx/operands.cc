// Where an instruction's operands lie.
#include <algorithm>
#include <cctype>

#include "arithmetic.h"
#include "kernel_parser.h"
#include "text.h"

namespace ptx {

uint32_t KernelParser::take(int bytes) {
  const uint32_t at = registers_;
  registers_ += bytes == 0 ? 64 : static_cast<uint32_t>(bytes) * 32;
  return at;
}

uint32_t KernelParser::constant(uint64_t value, int bytes) {
  if (bytes == 0) value = value ? 0xffffffffu : 0;  // a predicate: a bit a lane
  else if (bytes < 8) value &= (uint64_t{1} << 8 * bytes) - 1;
  auto [at, added] = constants_.try_emplace({value, bytes});
  if (added) {
    at->second = take(bytes);
    kernel_.constants.push_back({at->second, value, bytes});
  }
  return at->second;
}

std::pair<uint32_t, int> KernelParser::registered(const std::string& name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
    if (const auto found = scope->find(name); found != scope->end()) return found->second;
  refuse("no register " + name + " in " + kernel_.name);
}

uint32_t KernelParser::symbol(const std::string& name, bool& found) {
  found = true;
  for (const Variable& v : shared_)
    if (v.name == name) return v.offset;
  for (const Variable& v : local_)
    if (v.name == name) return v.offset;
  if (const auto p = parameters_.find(name); p != parameters_.end()) return p->second;
  for (const Variable& v : module_shared_)
    if (v.name == name) {
      add_shared(v);
      return shared_.back().offset;
    }
  found = false;
  return 0;
}

void KernelParser::add_shared(Variable v) {
  kernel_.shared_declared = (kernel_.shared_declared + v.align - 1) / v.align * v.align + v.size;
  v.offset = (kernel_.shared_bytes + 1024 + v.align - 1) / v.align * v.align;  // a gap that is nobody's
  kernel_.shared_bytes = v.offset + v.size;
  kernel_.shared_valid.resize(kernel_.shared_bytes + 1024);
  std::fill_n(kernel_.shared_valid.begin() + v.offset, v.size, 1);
  shared_.push_back(std::move(v));
}

uint32_t KernelParser::value(const std::string& s, int bytes) {
  if (s[0] == '%') {
    if (s.find('.') != std::string::npos || s == "%laneid") {
      auto [at, added] = kernel_.special.try_emplace(s);
      if (added) at->second = take(4);
      if (bytes != 4) refuse(s + " as " + std::to_string(bytes) + " bytes");
      return at->second;
    }
    const auto [at, size] = registered(s);
    if (size != bytes) refuse(s + " has " + std::to_string(size) + " bytes, not " + std::to_string(bytes) + " in " + kernel_.name);
    return at;
  }
  if (s[0] == '0' && s.size() > 1 && (s[1] == 'f' || s[1] == 'F')) return constant(std::stoull(s.substr(2), nullptr, 16), bytes);
  if (s[0] == '0' && s.size() > 1 && (s[1] == 'd' || s[1] == 'D')) return constant(std::stoull(s.substr(2), nullptr, 16), bytes);
  if (std::isdigit(static_cast<unsigned char>(s[0])) || s[0] == '-')
    return constant(s[0] == '-' ? static_cast<uint64_t>(std::stoll(s, nullptr, 0)) : std::stoull(s, nullptr, 0), bytes);
  bool found;
  const size_t plus = s.find('+');
  const std::string name = trimmed(s.substr(0, plus));
  const uint64_t extra = plus == std::string::npos ? 0 : std::stoull(s.substr(plus + 1));
  const uint32_t at = symbol(name, found);
  if (found) return constant(at + extra, bytes);
  if (const auto g = module_globals_.find(name); g != module_globals_.end()) return constant(g->second + extra, bytes);
  refuse("unknown operand " + s + " in " + kernel_.name);
}

int KernelParser::address(const std::string& s, Inst& i) {
  if (s.front() != '[' || s.back() != ']') refuse("address " + s);
  const std::string inside = trimmed(s.substr(1, s.size() - 2));
  const size_t plus = inside.find('+');
  const std::string base = trimmed(inside.substr(0, plus));
  i.displacement = plus == std::string::npos ? 0 : std::stoll(inside.substr(plus + 1));
  if (base[0] == '%') {
    const auto [at, bytes] = registered(base);
    i.o[0] = at;
    return bytes;
  }
  i.o[0] = value(base, 8);
  return 8;
}

uint32_t KernelParser::narrowed(const std::string& s, int bytes, int line) {
  if (s[0] != '%' || registered(s).second <= bytes) return value(s, bytes);
  const auto [at, size] = registered(s);
  Inst i;
  i.line = line;
  i.text = "(lower part of " + s + ")";
  i.o[0] = take(bytes);
  i.o[1] = at;
  i.run = size == 8 && bytes == 4   ? unary<uint32_t, uint64_t, Cast<uint32_t>>
          : size == 8 && bytes == 2 ? unary<uint16_t, uint64_t, Cast<uint16_t>>
          : size == 4 && bytes == 2 ? unary<uint16_t, uint32_t, Cast<uint16_t>>
                                    : nullptr;
  if (!i.run) refuse("narrowing of " + s);
  kernel_.code.push_back(i);
  return i.o[0];
}

void KernelParser::values(const Words& w, Inst& i, int bytes, size_t count) {
  if (w.operands.size() != count) refuse("operands of " + w.text);
  for (size_t k = 0; k < count; ++k) i.o[k] = value(w.operands[k], bytes);
}

void KernelParser::add_parameter(const std::string& declaration) {
  const Variable v = declared(declaration);
  const uint32_t offset = (kernel_.parameter_bytes + v.align - 1) / v.align * v.align;
  kernel_.parameters.push_back({offset, v.size});
  kernel_.parameter_bytes = offset + v.size;
  parameters_[v.name] = offset;
}

void KernelParser::add_registers(const std::vector<std::string>& words) {
  const int bytes = type_bytes(words[1].substr(1));
  for (size_t k = 2; k < words.size(); ++k) {
    const size_t angle = words[k].find('<');
    if (angle == std::string::npos) {
      scopes_.back()[words[k]] = {take(bytes), bytes};
      continue;
    }
    const int count = std::stoi(words[k].substr(angle + 1));
    for (int n = 0; n < count; ++n) scopes_.back()[words[k].substr(0, angle) + std::to_string(n)] = {take(bytes), bytes};
  }
}

void KernelParser::add_local(Variable v) {
  v.offset = (kernel_.local_bytes + v.align - 1) / v.align * v.align;
  kernel_.local_bytes = v.offset + v.size;
  local_.push_back(std::move(v));
}

Variable declared(const std::string& declaration) {
  const std::vector<std::string> words = words_of(declaration);
  Variable v;
  int element = 1;
  for (size_t k = 0; k < words.size(); ++k) {
    if (words[k] == ".align") v.align = std::stoul(words[k + 1]);
    else if (words[k][0] == '.' && words[k].size() >= 3 && std::isdigit(static_cast<unsigned char>(words[k].back())) && words[k] != ".align") {
      element = type_bytes(words[k].substr(1));
      v.align = std::max<uint32_t>(v.align, element);
    }
  }
  const size_t equals = declaration.find('=');
  std::string name = trimmed(declaration.substr(0, equals));
  name = name.substr(name.find_last_of(" \t") + 1);
  uint32_t count = 1;
  if (const size_t bracket = name.find('['); bracket != std::string::npos) {
    count = std::stoul(name.substr(bracket + 1));
    name = name.substr(0, bracket);
  }
  v.name = name;
  v.size = count * element;
  if (equals != std::string::npos) {
    if (element != 1) refuse("initialiser of " + name);
    const size_t open = declaration.find('{');
    for (const std::string& one : operands(declaration.substr(open + 1, declaration.find('}') - open - 1)))
      v.init.push_back(static_cast<uint8_t>(std::stoi(one)));
  }
  return v;
}

}  // namespace ptx
