#include "cpu/thread_pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fer::cpu {
namespace {

inline constexpr int kSpins = 20000;  // about 100 to 500 microseconds

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) : claimed_(threads) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    ++generation_;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(const std::function<void(int)>& body) {
  if (workers_.empty()) return body(0);
  body_ = &body;
  failure_ = nullptr;
  pending_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  uint64_t generation;
  {
    std::lock_guard lock(mutex_);
    generation = generation_.fetch_add(1, std::memory_order_release) + 1;
  }
  wake_.notify_all();
  std::exception_ptr own;
  try {
    body(0);
  } catch (...) {
    own = std::current_exception();
  }
  for (int i = 1; i < size(); ++i)
    if (claim(i, generation)) run_part(i);
  for (int spins = 0; pending_.load(std::memory_order_acquire) > 0; ++spins) spins < kSpins ? pause() : std::this_thread::yield();
  if (own) std::rethrow_exception(own);
  if (failure_) std::rethrow_exception(failure_);
}

void ThreadPool::work(int index) {
  uint64_t seen = 0;
  for (;;) {
    int spins = 0;
    while (generation_.load(std::memory_order_acquire) == seen) {
      if (++spins < kSpins) {
        pause();
        continue;
      }
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return generation_.load(std::memory_order_acquire) != seen; });
    }
    seen = generation_.load(std::memory_order_acquire);
    if (stop_) return;
    if (claim(index, seen)) run_part(index);
  }
}

bool ThreadPool::claim(int index, uint64_t generation) {
  // Every part is taken in every generation, so the one before is what a free part shows.
  uint64_t before = generation - 1;
  return claimed_[index].compare_exchange_strong(before, generation, std::memory_order_acq_rel);
}

void ThreadPool::run_part(int index) {
  try {
    (*body_)(index);
  } catch (...) {
    std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  pending_.fetch_sub(1, std::memory_order_release);
}

}  // namespace fer::cpu
