// Streams, events and graphs of the pretended run time: work is done when it is submitted or its graph is launched, and what orders it
// is kept in clocks, so that two pieces of work that nothing orders are found.
#pragma once
#include <cuda_runtime.h>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "races.h"

namespace ptx {

// A captured piece of work, or a record of or wait for an event (a slot of the recording).
struct Node {
  enum { kWork, kRecord, kWait } kind;
  int stream, slot;
  std::function<void(Clock&)> run;
};
struct Recording {
  std::vector<Node> nodes;
  int streams = 1, slots = 0;
  std::vector<std::vector<uint32_t>> seen{{0}};  // of a stream: how many nodes of each it comes after
  std::vector<std::vector<uint32_t>> slot_seen;
  std::vector<cudaStream_t> members;
};

// Held while anything of the machine is looked at or changed.
std::recursive_mutex& machine_lock();
// Does `work` now, or records it where the stream is captured.
void submit(cudaStream_t stream, std::function<void(Clock&)> work);
// The host has waited for all that was submitted to any stream.
void synchronise_all();

}  // namespace ptx

struct CUstream_st {
  ptx::Clock clock;
  std::shared_ptr<ptx::Recording> capture;
  int index = 0;  // in the recording
};
