// The tests' main: one in which the interpreter has reported anything has failed.
#include <gtest/gtest.h>

#include "test/ptx/report.h"

namespace {

class Reports : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override { ptx::take_report(); }
  void OnTestEnd(const testing::TestInfo&) override {
    const uint64_t count = ptx::reports();
    const std::string first = ptx::take_report();
    if (count > 0) ADD_FAILURE() << count << " reports of the PTX interpreter, the first: " << first;
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // Last: its failures belong to the test that has just ended, before that is printed.
  testing::UnitTest::GetInstance()->listeners().Append(new Reports);
  return RUN_ALL_TESTS();
}
