// Where the tests run, from the environment, so that one binary serves here and on a machine with a GPU (scripts/gpu-check):
// FER_TEST_DEVICE=cuda replaces every backend under test by that device; FER_TEST_FIXTURES says where the fixtures were carried.
#pragma once
#include <cstdlib>
#include <string>

namespace fer {

inline std::string fixture(const std::string& name) {
  const char* folder = std::getenv("FER_TEST_FIXTURES");
  return std::string(folder ? folder : FER_FIXTURES) + '/' + name;
}

// Empty where the tests' own list of backends counts.
inline std::string asked_device() {
  const char* device = std::getenv("FER_TEST_DEVICE");
  return device ? device : "";
}

}  // namespace fer
