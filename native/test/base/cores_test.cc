// The processors a process may use, in groups of both versions.
#include "base/cores.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <thread>

namespace fer {
namespace {

class CoresTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(root); }
  void TearDown() override { std::filesystem::remove_all(root); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  }
  const std::filesystem::path root = std::filesystem::temp_directory_path() / ("fer-cores-" + std::to_string(getpid()));
};

TEST_F(CoresTest, Version2TakesTheTightestOfTheGroupAndItsParents) {
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

TEST_F(CoresTest, AContainerSeesItsOwnGroupAsTheRoot) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "400000 100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 4);
  write("proc/self/cgroup", "0::/a/path/of/the/host\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 4);
}

TEST_F(CoresTest, Version1DividesQuotaByPeriod) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/docker/one\n4:memory:/docker/one\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/one/cpu.cfs_quota_us", "250000\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/one/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(cpu_quota(root), 2.5);
  write("sys/fs/cgroup/cpu,cpuacct/docker/one/cpu.cfs_quota_us", "-1\n");
  EXPECT_TRUE(std::isinf(cpu_quota(root)));
}

TEST_F(CoresTest, NonsenseLimitsNothing) {
  write("proc/self/cgroup", "nonsense\n0::\n");
  write("sys/fs/cgroup/cpu.max", "many few\n");
  EXPECT_TRUE(std::isinf(cpu_quota(root)));
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
