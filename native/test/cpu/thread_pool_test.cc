// The team of threads: every part once, in every generation, whoever runs it.
#include "cpu/thread_pool.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace fer::cpu {
namespace {

TEST(ThreadPool, RunsEveryPartOnce) {
  for (int threads : {1, 2, 7}) {  // more than this machine may have, so that parts change hands
    ThreadPool pool(threads);
    std::vector<int> runs(threads, 0);
    for (int generation = 1; generation <= 2000; ++generation) {
      pool.run([&](int part) { ++runs[part]; });
      for (int part = 0; part < threads; ++part) ASSERT_EQ(runs[part], generation) << threads << " threads, part " << part;
    }
  }
}

TEST(ThreadPool, RethrowsFromAnyPartAndGoesOn) {
  ThreadPool pool(3);
  for (int failing : {0, 2}) {
    EXPECT_THROW(pool.run([&](int part) {
      if (part == failing) throw std::runtime_error("part");
    }),
                 std::runtime_error);
    std::atomic<int> runs{0};
    pool.run([&](int) { ++runs; });
    EXPECT_EQ(runs, 3);
  }
}

}  // namespace
}  // namespace fer::cpu
