// The run time's calls on streams, events and graphs.
#include "streams.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "report.h"

using cuda_on_host::machine;
using ptx::machine_lock;
using ptx::Node;
using ptx::Recording;

struct CUevent_st {
  std::vector<uint32_t> seen;
  std::shared_ptr<Recording> capture;
  int slot = 0;
  std::chrono::steady_clock::time_point at;
};
struct CUgraph_st {
  Recording recording;
};
struct CUgraphExec_st {
  Recording recording;
  std::vector<int> ids;  // of its streams, as clocks know them
};

namespace {

int next_stream_id = 1;
std::vector<uint32_t> host_seen;
std::vector<cudaStream_t> streams;
thread_local int captures = 0;

void join(std::vector<uint32_t>& into, const std::vector<uint32_t>& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i) into[i] = std::max(into[i], from[i]);
}

void bump(Recording& r, int stream) {
  auto& s = r.seen[stream];
  if (s.size() < r.seen.size()) s.resize(r.seen.size());
  ++s[stream];
}

// FER_PTX_IGNORE_WAITS=<stream of the graph>: to see that a missing join is found.
bool ignores_waits(int stream) {
  static const char* ignored = std::getenv("FER_PTX_IGNORE_WAITS");
  return ignored && stream == std::atoi(ignored);
}

}  // namespace

namespace ptx {

std::recursive_mutex& machine_lock() {
  static std::recursive_mutex mutex;
  return mutex;
}

void submit(cudaStream_t stream, std::function<void(Clock&)> work) {
  const std::lock_guard lock(machine_lock());
  if (!stream) cuda_on_host::misuse("work for the legacy default stream");
  if (stream->capture) {
    bump(*stream->capture, stream->index);
    stream->capture->nodes.push_back({Node::kWork, stream->index, 0, std::move(work)});
    return;
  }
  stream->clock.join(host_seen);
  work(stream->clock);
}

void synchronise_all() {
  for (const cudaStream_t s : streams) join(host_seen, s->clock.seen);
}

}  // namespace ptx

namespace cuda_on_host {

Machine& machine() {
  static Machine machine;
  static const bool set = [] {
    if (const char* v = std::getenv("FER_PTX_MULTIPROCESSORS")) machine.multiprocessors = std::atoi(v);
    return true;
  }();
  (void)set;
  return machine;
}

void submit(cudaStream_t stream, std::function<void()> work) {
  ptx::submit(stream, [work = std::move(work)](ptx::Clock&) { work(); });
}

void misuse(const std::string& what) {
  std::fprintf(stderr, "misuse of CUDA: %s\n", what.c_str());
  std::abort();
}

void refuse_while_capturing(const char* call) {
  if (captures > 0) misuse(std::string(call) + " while this thread captures a step");
}

}  // namespace cuda_on_host

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const std::lock_guard lock(machine_lock());
  streams.push_back(*stream = new CUstream_st{{next_stream_id++, {}}, nullptr, 0});
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(machine_lock());
  join(host_seen, stream->clock.seen);
  std::erase(streams, stream);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  ++machine().synchronisations;
  if (stream->capture) cuda_on_host::misuse("cudaStreamSynchronize of a stream that is being captured");
  cuda_on_host::refuse_while_capturing("cudaStreamSynchronize");
  const std::lock_guard lock(machine_lock());
  join(host_seen, stream->clock.seen);
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return *status = stream->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone, cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return *event = new CUevent_st, cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return cudaEventCreate(event); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::lock_guard lock(machine_lock());
  event->at = std::chrono::steady_clock::now();
  event->capture = stream->capture;
  if (!stream->capture) return event->seen = stream->clock.seen, cudaSuccess;
  Recording& r = *stream->capture;
  bump(r, stream->index);
  event->slot = r.slots++;
  r.slot_seen.push_back(r.seen[stream->index]);
  r.nodes.push_back({Node::kRecord, stream->index, event->slot, nullptr});
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const std::lock_guard lock(machine_lock());
  if (!event->capture) {
    if (stream->capture) return cudaErrorStreamCaptureIsolation;
    stream->clock.join(event->seen);
    return cudaSuccess;
  }
  Recording& r = *event->capture;
  if (!stream->capture) {
    stream->capture = event->capture;
    stream->index = r.streams++;
    r.seen.emplace_back(r.streams);
    r.members.push_back(stream);
  }
  if (stream->capture != event->capture) return cudaErrorStreamCaptureIsolation;
  join(r.seen[stream->index], r.slot_seen[event->slot]);
  r.nodes.push_back({Node::kWait, stream->index, event->slot, nullptr});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  ++machine().synchronisations;
  cuda_on_host::refuse_while_capturing("cudaEventSynchronize");
  if (event->capture) cuda_on_host::misuse("cudaEventSynchronize with an event that was captured");
  const std::lock_guard lock(machine_lock());
  join(host_seen, event->seen);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  return *milliseconds = std::chrono::duration<float, std::milli>(end->at - begin->at).count(), cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const std::lock_guard lock(machine_lock());
  if (stream->capture) return cudaErrorIllegalState;
  stream->capture = std::make_shared<Recording>();
  stream->index = 0;
  stream->capture->members.push_back(stream);
  ++captures;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(machine_lock());
  --captures;
  const std::shared_ptr<Recording> r = stream->capture;
  for (cudaStream_t s : r->members) s->capture.reset();
  auto& origin = r->seen[0];
  origin.resize(r->streams);
  for (int s = 1; s < r->streams; ++s)
    if (origin[s] < r->seen[s][s]) {
      ptx::report("a captured stream is not joined", "the run time", "");
      *graph = nullptr;
      return cudaErrorStreamCaptureUnjoined;
    }
  *graph = new CUgraph_st{*r};
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new CUgraphExec_st{graph->recording, {}};
  for (int s = 0; s < graph->recording.streams; ++s) (*executable)->ids.push_back(next_stream_id++);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) { return delete executable, cudaSuccess; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  ++machine().graph_launches;
  ptx::submit(stream, [=](ptx::Clock& clock) {
    Recording& r = executable->recording;
    std::vector<ptx::Clock> clocks(r.streams);
    for (int s = 1; s < r.streams; ++s) clocks[s].id = executable->ids[s];
    auto of = [&](int s) -> ptx::Clock& { return s == 0 ? clock : clocks[s]; };
    // Its ids are the same at every launch: what earlier launches did counts.
    static std::unordered_map<int, uint32_t> counts;
    for (int s = 1; s < r.streams; ++s) {
      clocks[s].seen.resize(clocks[s].id + 1);
      clocks[s].seen[clocks[s].id] = counts[clocks[s].id];
    }
    std::vector<std::vector<uint32_t>> slots(r.slots);
    auto run = [&](const Node& n) {
      if (n.kind == Node::kWork) n.run(of(n.stream));
      else if (n.kind == Node::kRecord) slots[n.slot] = of(n.stream).seen;
      else if (!ignores_waits(n.stream)) of(n.stream).join(slots[n.slot]);
    };
    std::vector<const Node*> late;
    for (const Node& n : r.nodes) {
      if (n.stream != 0 && machine().reversed) {
        late.push_back(&n);
        continue;
      }
      if (n.kind == Node::kWait && n.stream == 0) {
        for (const Node* l : late) run(*l);
        late.clear();
      }
      run(n);
    }
    for (int s = 1; s < r.streams; ++s) counts[clocks[s].id] = clocks[s].seen[clocks[s].id];
  });
  return cudaSuccess;
}

}  // extern "C"
