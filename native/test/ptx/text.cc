#include "text.h"

#include <cctype>
#include <stdexcept>

namespace ptx {

void refuse(const std::string& what) { throw std::runtime_error("PTX: " + what); }

std::vector<std::string> split(const std::string& s, char by) {
  std::vector<std::string> parts;
  size_t at = 0;
  for (;;) {
    const size_t next = s.find(by, at);
    parts.push_back(s.substr(at, next - at));
    if (next == std::string::npos) return parts;
    at = next + 1;
  }
}
std::string trimmed(const std::string& s) {
  const size_t a = s.find_first_not_of(" \t\r\n"), b = s.find_last_not_of(" \t\r\n");
  return a == std::string::npos ? "" : s.substr(a, b - a + 1);
}
std::vector<std::string> operands(const std::string& s) {
  std::vector<std::string> all;
  int depth = 0;
  std::string one;
  for (char c : s) {
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == ',' && depth == 0) {
      all.push_back(trimmed(one));
      one.clear();
    } else one += c;
  }
  if (!trimmed(one).empty()) all.push_back(trimmed(one));
  return all;
}
int type_bytes(const std::string& t) {
  if (t == "pred") return 0;
  const std::string digits = t.substr(1);
  return std::stoi(digits) / 8;
}

std::vector<std::string> words_of(const std::string& s) {
  std::vector<std::string> w;
  std::string one;
  for (char c : s + ' ')
    if (std::isspace(static_cast<unsigned char>(c)) || c == ',') {
      if (!one.empty()) w.push_back(one);
      one.clear();
    } else one += c;
  return w;
}

}  // namespace ptx
