// PTX text in pieces.
#pragma once
#include <string>
#include <vector>

namespace ptx {

[[noreturn]] void refuse(const std::string& what);
std::vector<std::string> split(const std::string& s, char by);
std::string trimmed(const std::string& s);
// Operands by commas outside braces and brackets.
std::vector<std::string> operands(const std::string& s);
std::vector<std::string> words_of(const std::string& s);
// Of a type such as "u32"; 0: a predicate.
int type_bytes(const std::string& type);

}  // namespace ptx
