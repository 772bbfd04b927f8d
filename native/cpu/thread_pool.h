// A fixed team of threads for short parallel regions. Waiting threads spin for a moment, because a training
// step opens some thirty regions of 50 to 500 microseconds, then sleep. A part whose thread has not come by the time the
// caller is done with its own is run by the caller: on a busy machine nobody waits for a thread that has no processor.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fer::cpu {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Runs body(0) .. body(size() - 1) at once, each once, the first on the calling thread; returns when all are done.
  // An exception from any of them is rethrown here.
  void run(const std::function<void(int)>& body);

 private:
  void work(int index);
  // True for the one thread that is to run part `index` of this generation.
  bool claim(int index, uint64_t generation);
  void run_part(int index);

  std::vector<std::thread> workers_;
  std::vector<std::atomic<uint64_t>> claimed_;  // the generation in which each part was last taken
  const std::function<void(int)>* body_ = nullptr;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> pending_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::exception_ptr failure_;
};

}  // namespace fer::cpu
