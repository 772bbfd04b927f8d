#include "base/resources.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>

#include "base/error.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

// What JavaScript, the threads' stacks and small pieces take beside what is asked for.
constexpr double kHeadroom = 24 << 20;

// One controller of control groups: what limits a group, as each version writes it in the group's folder.
struct Controller {
  const char* name;
  double (*version1)(const fs::path& group);
  double (*version2)(const fs::path& group);
};

// The least of a group's and its parents'. A container may see its group's path as the host names it, and only its own folder
// in place of the whole tree: what is not there limits nothing.
double least(const fs::path& mount, const fs::path& group, double (*limit_of)(const fs::path&)) {
  double limit = limit_of(mount);
  fs::path at = mount;
  for (const auto& name : group.relative_path()) limit = std::min(limit, limit_of(at /= name));
  return limit;
}

double limit_of_groups(const fs::path& root, const Controller& controller) {
  const fs::path mounts = root / "sys/fs/cgroup";
  double limit = kUnlimited;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // number:controllers:path
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (controllers.empty()) {
      limit = std::min(limit, least(mounts, group, controller.version2));
      continue;
    }
    std::istringstream names(controllers);
    for (std::string name; std::getline(names, name, ',');)
      if (name == controller.name)
        for (const auto& mount : {mounts / name, mounts / controllers}) limit = std::min(limit, least(mount, group, controller.version1));
  }
  return limit;
}

// The number that a file consists of, or begins with; otherwise `otherwise`.
double number_in(const fs::path& path, double otherwise) {
  std::ifstream file(path);
  double number = 0;
  return file >> number ? number : otherwise;
}

// The number after `key` in a file of keys and numbers; otherwise `otherwise`.
double number_after(const fs::path& path, const std::string& key, double otherwise) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    double number = 0;
    if (words >> name >> number && name == key) return number;
  }
  return otherwise;
}

// "max 100000" or "150000 100000": microseconds of a period.
double quota_v2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : kUnlimited;
}

double quota_v1(const fs::path& group) {
  const double quota = number_in(group / "cpu.cfs_quota_us", 0), period = number_in(group / "cpu.cfs_period_us", 0);
  return quota > 0 && period > 0 ? quota / period : kUnlimited;
}

// A group's usage counts its files' cache; what of it has not been read lately is dropped before memory runs out.
double left_of(double limit, double usage, double droppable) {
  return std::isfinite(limit) ? std::max(0.0, limit - std::max(0.0, usage - droppable)) : kUnlimited;
}

double memory_v2(const fs::path& group) {
  return left_of(number_in(group / "memory.max", kUnlimited), number_in(group / "memory.current", 0),
                 number_after(group / "memory.stat", "inactive_file", 0));
}

double memory_v1(const fs::path& group) {
  return left_of(number_in(group / "memory.limit_in_bytes", kUnlimited), number_in(group / "memory.usage_in_bytes", 0),
                 number_after(group / "memory.stat", "total_inactive_file", 0));
}

int allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());  // more processors than the set can hold
}

// What a limit of the process's own leaves, which counts what /proc/self/status calls `used`.
double left_of_limit(decltype(RLIMIT_AS) resource, const char* used) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  return left_of(static_cast<double>(limit.rlim_cur), 1024 * number_after("/proc/self/status", used, 0), 0);
}

}  // namespace

double cpu_quota(const fs::path& root) { return limit_of_groups(root, {"cpu", quota_v1, quota_v2}); }

int usable_cores() {
  const double cores = std::min<double>(allowed_processors(), std::ceil(cpu_quota("/")));
  return std::max(1, static_cast<int>(cores));
}

double free_memory(const fs::path& root) {
  const double available = 1024 * number_after(root / "proc/meminfo", "MemAvailable:", kUnlimited);
  return std::min(available, limit_of_groups(root, {"memory", memory_v1, memory_v2}));
}

size_t usable_memory() {
  const double physical = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return static_cast<size_t>(std::min({physical, free_memory("/"), left_of_limit(RLIMIT_AS, "VmSize:"), left_of_limit(RLIMIT_DATA, "VmData:")}));
}

void require_memory(size_t bytes, const std::string& what) {
  const size_t usable = usable_memory();
  if (static_cast<double>(bytes) + kHeadroom > static_cast<double>(usable))
    throw Error("ERR_FER_OUT_OF_MEMORY",
                what + " needs " + megabytes(bytes) + " of memory, and this process may take " + megabytes(usable) + " more");
}

std::string megabytes(size_t bytes) { return std::to_string((bytes + 500'000) / 1'000'000) + " MB"; }

}  // namespace fer
