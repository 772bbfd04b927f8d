// Work off the event loop: a few threads for all that a JavaScript environment asks for, so that thousands of pending calls are a
// list and not thousands of threads.
#pragma once
#include <napi.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace fer::addon {

struct Job {
  std::function<void()> work;                                                                    // on a thread
  std::function<Napi::Value(Napi::Env)> result = [](Napi::Env env) { return env.Undefined(); };  // back on the event loop
  std::function<void()> cancel = [] {};                                                          // asks `work` to end soon
};

// Jobs on one `subject` run one after another, in the order in which they came; the threads go round the subjects that have some, a
// job each, so that a thousand predictions of one model do not delay another's. An epoch has a thread of its own.
class Queue {
 public:
  explicit Queue(Napi::Env env);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  Napi::Promise add(Napi::Env env, const void* subject, Job job);
  Napi::Promise add_long(Napi::Env env, Job job);

 private:
  struct Entry;
  struct Line {  // the jobs of one subject
    std::deque<Entry*> waiting;
    bool running = false;
  };
  using Lines = std::map<const void*, Line>;

  Entry& enter(Napi::Env env, Job job);
  void serve();
  void run(Entry& entry);
  void settle(Napi::Env env, Entry& entry);
  static void stop(void* queue);

  const size_t most_threads_;
  Napi::ThreadSafeFunction settled_;
  std::list<Entry> entries_;  // not settled yet; of the event loop

  std::mutex mutex_;
  std::condition_variable wake_;
  Lines lines_;                        // those that have jobs
  std::deque<Lines::iterator> ready_;  // those of them of which none is running
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace fer::addon
