// A lock that is had in the order in which it was asked for, so that a training, which takes it anew for every step, keeps nobody out.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace fer::addon {

class Turns {
 public:
  void lock() {
    std::unique_lock guard(mutex_);
    const uint64_t mine = next_++;
    changed_.wait(guard, [&] { return mine == now_; });
  }
  bool try_lock() {
    std::lock_guard guard(mutex_);
    if (next_ != now_) return false;
    ++next_;
    return true;
  }
  void unlock() {
    {
      std::lock_guard guard(mutex_);
      ++now_;
    }
    changed_.notify_all();
  }
  // Lets whoever waits have a turn; for the holder.
  void pass() {
    {
      std::lock_guard guard(mutex_);
      if (next_ == now_ + 1) return;
    }
    unlock();
    lock();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_ = 0, now_ = 0;  // turns given out, and the one whose it is
};

}  // namespace fer::addon
