// How many processors this process may keep busy.
#pragma once
#include <filesystem>

namespace fer {

// Those its affinity allows, but no more than its control group's quota pays for (rounded up); at least one.
int usable_cores();

// The quota in processors, of the group and all above it, as Linux shows it below `root`; infinite where there is none.
// Version 2: cpu.max; version 1: cpu.cfs_quota_us by cpu.cfs_period_us.
double cpu_quota(const std::filesystem::path& root);

}  // namespace fer
