#include "base/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>

namespace fer {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

// "max 100000" or "150000 100000": microseconds of a period.
double quota_v2(const std::filesystem::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : kUnlimited;
}

double quota_v1(const std::filesystem::path& group) {
  std::ifstream quotas(group / "cpu.cfs_quota_us"), periods(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quotas >> quota && periods >> period && quota > 0 && period > 0 ? quota / period : kUnlimited;
}

// The least of a group's and its parents'. A container may see its group's path as the host names it, and only its own folder
// in place of the whole tree: what is not there limits nothing.
template <class Quota>
double least(const std::filesystem::path& mount, const std::filesystem::path& group, Quota quota) {
  double limit = quota(mount);
  std::filesystem::path at = mount;
  for (const auto& name : group.relative_path()) limit = std::min(limit, quota(at /= name));
  return limit;
}

int allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());  // more processors than the set can hold
}

}  // namespace

double cpu_quota(const std::filesystem::path& root) {
  const std::filesystem::path mounts = root / "sys/fs/cgroup";
  double limit = kUnlimited;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // number:controllers:path
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (controllers.empty()) {
      limit = std::min(limit, least(mounts, group, quota_v2));
      continue;
    }
    std::istringstream names(controllers);
    for (std::string name; std::getline(names, name, ',');)
      if (name == "cpu")
        for (const auto& mount : {mounts / name, mounts / controllers}) limit = std::min(limit, least(mount, group, quota_v1));
  }
  return limit;
}

int usable_cores() {
  const double cores = std::min<double>(allowed_processors(), std::ceil(cpu_quota("/")));
  return std::max(1, static_cast<int>(cores));
}

}  // namespace fer
