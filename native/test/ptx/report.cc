#include "report.h"

#include <cstdio>
#include <map>
#include <mutex>
#include <utility>

namespace ptx {
namespace {

std::mutex mutex;
std::map<std::pair<std::string, std::string>, uint64_t> counts;  // by kind and place
uint64_t total = 0;
std::string first;

}  // namespace

void report(const std::string& kind, const std::string& where, const std::string& what) {
  const std::lock_guard lock(mutex);
  ++total;
  if (counts[{kind, where}]++ > 0) return;
  const std::string text = kind + ": " + where + ": " + what;
  if (first.empty()) first = text;
  std::fprintf(stderr, "PTX %s\n", text.c_str());
}

uint64_t reports() {
  const std::lock_guard lock(mutex);
  return total;
}

std::string take_report() {
  const std::lock_guard lock(mutex);
  counts.clear();
  total = 0;
  return std::exchange(first, {});
}

}  // namespace ptx
