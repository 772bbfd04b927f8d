// What of the machine this process may use: processors and memory.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

namespace fer {

// Those its affinity allows, but no more than its control group's quota pays for (rounded up); at least one.
int usable_cores();

// The quota in processors, of the group and all above it, as Linux shows it below `root`; infinite where there is none.
// Version 2: cpu.max; version 1: cpu.cfs_quota_us by cpu.cfs_period_us.
double cpu_quota(const std::filesystem::path& root);

// Bytes that the process may still take: the least that the machine, the process's control groups and its own limits (ulimit -v and
// -d) leave.
size_t usable_memory();

// The same of what Linux shows below `root`: MemAvailable, and of each group its limit less what is used and cannot be dropped
// (version 2: memory.max, memory.current; version 1: memory.limit_in_bytes, memory.usage_in_bytes). Infinite where nothing is shown.
double free_memory(const std::filesystem::path& root);

// Throws ERR_FER_OUT_OF_MEMORY where `bytes` more, and a little for the rest of the program, are not left: Linux would promise them
// and end the process once it used them. `what` begins the sentence: "a data set of 3 images".
void require_memory(size_t bytes, const std::string& what);

// As messages show it: "412 MB".
std::string megabytes(size_t bytes);

}  // namespace fer
