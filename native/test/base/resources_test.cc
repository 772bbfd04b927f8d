// The processors and the memory that a process may use, in groups of both versions.
#include "base/resources.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "base/error.h"

namespace fer {
namespace {

class ResourcesTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(root); }
  void TearDown() override { std::filesystem::remove_all(root); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  }
  const std::filesystem::path root = std::filesystem::temp_directory_path() / ("fer-resources-" + std::to_string(getpid()));
};

TEST_F(ResourcesTest, Version2TakesTheTightestOfTheGroupAndItsParents) {
  EXPECT_TRUE(std::isinf(cpu_quota(root))) << "no control groups at all";
  write("proc/self/cgroup", "0::/user.slice/job\n");
  EXPECT_TRUE(std::isinf(cpu_quota(root)));
  write("sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 1.5);
  write("sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 1.5);
  write("sys/fs/cgroup/user.slice/job/cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 0.5);
}

TEST_F(ResourcesTest, AContainerSeesItsOwnGroupAsTheRoot) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "400000 100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 4);
  write("proc/self/cgroup", "0::/a/path/of/the/host\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 4);
}

TEST_F(ResourcesTest, Version1DividesQuotaByPeriod) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/docker/one\n4:memory:/docker/one\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/one/cpu.cfs_quota_us", "250000\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/one/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 2.5);
  write("sys/fs/cgroup/cpu,cpuacct/docker/one/cpu.cfs_quota_us", "-1\n");
  EXPECT_TRUE(std::isinf(cpu_quota(root)));
}

TEST_F(ResourcesTest, NonsenseLimitsNothing) {
  write("proc/self/cgroup", "nonsense\n0::\n");
  write("sys/fs/cgroup/cpu.max", "many few\n");
  EXPECT_TRUE(std::isinf(cpu_quota(root)));
}

TEST_F(ResourcesTest, MemoryIsWhatTheMachineOrTheTightestGroupLeaves) {
  EXPECT_TRUE(std::isinf(free_memory(root))) << "nothing is shown";
  write("proc/meminfo", "MemTotal:       8000 kB\nMemFree:        100 kB\nMemAvailable:   4000 kB\n");
  EXPECT_DOUBLE_EQ(free_memory(root), 4000 * 1024);
  write("proc/self/cgroup", "0::/user.slice/job\n");
  write("sys/fs/cgroup/user.slice/memory.max", "max\n");
  EXPECT_DOUBLE_EQ(free_memory(root), 4000 * 1024);
  write("sys/fs/cgroup/user.slice/job/memory.max", "3000000\n");
  write("sys/fs/cgroup/user.slice/job/memory.current", "1000000\n");
  EXPECT_DOUBLE_EQ(free_memory(root), 2000000);
  write("sys/fs/cgroup/user.slice/job/memory.stat", "anon 600000\nactive_file 100000\ninactive_file 300000\n");
  EXPECT_DOUBLE_EQ(free_memory(root), 2300000) << "the cache of files is dropped first";
  write("sys/fs/cgroup/user.slice/job/memory.current", "4000000\n");
  EXPECT_DOUBLE_EQ(free_memory(root), 0);
}

TEST_F(ResourcesTest, MemoryOfVersion1) {
  write("proc/self/cgroup", "4:memory:/docker/one\n");
  write("sys/fs/cgroup/memory/docker/one/memory.limit_in_bytes", "5000000\n");
  write("sys/fs/cgroup/memory/docker/one/memory.usage_in_bytes", "2000000\n");
  write("sys/fs/cgroup/memory/docker/one/memory.stat", "inactive_file 1\ntotal_inactive_file 500000\n");
  EXPECT_DOUBLE_EQ(free_memory(root), 3500000);
}

TEST(UsableMemoryTest, FollowsTheProcessOwnLimit) {
  // A sanitizer's own data are terabytes that are never touched, so the limit is set beyond what there is.
  size_t kilobytes = 0;
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmData:") status >> kilobytes;
  ASSERT_GT(kilobytes, 0u);
  const size_t room = size_t{1} << 30, before = usable_memory();
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_DATA, &old), 0);
  const rlimit tight{1024 * kilobytes + room, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &tight), 0);
  const size_t within = usable_memory();
  std::string message;
  try {
    require_memory(room, "a test");
  } catch (const Error& error) {
    message = error.code() + ": " + error.what();
  }
  setrlimit(RLIMIT_DATA, &old);
  EXPECT_GT(before, 0u);
  EXPECT_LE(within, room);
  EXPECT_EQ(message.rfind("ERR_FER_OUT_OF_MEMORY: a test needs 1074 MB of memory", 0), 0u) << message;
  EXPECT_NO_THROW(require_memory(1 << 20, "a test"));
}

TEST(UsableCoresTest, FollowTheAffinity) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(usable_cores(), 1);
  EXPECT_LE(usable_cores(), CPU_COUNT(&before));
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_cores(), 1);
  sched_setaffinity(0, sizeof before, &before);
}

}  // namespace
}  // namespace fer
