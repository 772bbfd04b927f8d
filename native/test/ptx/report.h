// What the interpreter finds wrong. A kind of problem is told once a place, and counted.
#pragma once
#include <cstdint>
#include <string>

namespace ptx {

void report(const std::string& kind, const std::string& where, const std::string& what);
uint64_t reports();
// The first report since the last call, "kind: where: what"; empty: none. What was counted is forgotten.
std::string take_report();

}  // namespace ptx
