// One kind of device: how to open a backend on it, and what a look at the machine finds of what it needs.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "backend.h"

namespace fer {

// A thing that a device needs, or can use, and what was found of it.
struct Part {
  std::string name;
  std::string version = {};                // empty: not known
  std::string found = {};                  // what is there, in words; empty: nothing
  std::string problem = {};                // why it cannot be used and what to do, a sentence; empty: all is well
  std::string without = {};                // what the device does without it, a sentence; empty: nothing, it is needed
  std::vector<std::string> searched = {};  // places, in order, where it was not found
};

// One of the devices of a kind.
struct Unit {
  std::string name, capability;
  size_t memory_bytes = 0;
};

struct Probe {
  std::vector<Part> parts;  // in the order in which they are needed
  std::vector<Unit> units;  // in the order of their numbers
};

struct Device {
  const char* name;
  bool gpu;  // there may be several, numbered ("name:0"); device "auto" prefers them
  // Throws ERR_FER_DEVICE_UNAVAILABLE, saying what is missing and how to get it. `number` is 0 where there is but one.
  std::unique_ptr<Backend> (*open)(int number, const DeviceOptions& options);
  // Never throws.
  Probe (*probe)();
};

// The members; each is defined in a file or folder of this room.
extern const Device kCpu, kCuda;

}  // namespace fer
