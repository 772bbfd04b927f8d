#include "addon/queue.h"

#include <algorithm>

#include "addon/environment.h"
#include "base/resources.h"

namespace fer::addon {

struct Queue::Entry {
  Job job;
  Napi::Promise::Deferred deferred;
  std::exception_ptr failure = nullptr;
  std::list<Entry>::iterator place = {};
  std::thread thread = {};  // of a long job
};

Queue::Queue(Napi::Env env)
    // One more than processors: a job that waits for a training step keeps no processor busy.
    : most_threads_(static_cast<size_t>(std::clamp(usable_cores() + 1, 2, 8))),
      settled_(Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "fer-cudnn queue", 0, 1)) {
  settled_.Unref(env);
  // An environment torn down (a worker terminated) must not outlive the threads. Its hooks run last in, first out, so this one, added
  // after the function's own, still finds the function alive for the threads' last calls.
  napi_add_env_cleanup_hook(env, stop, this);
}

Queue::~Queue() = default;

// Ends and joins the threads; promises stay pending.
void Queue::stop(void* pointer) {
  auto* self = static_cast<Queue*>(pointer);
  {
    std::lock_guard lock(self->mutex_);
    self->stopping_ = true;
  }
  self->wake_.notify_all();
  for (Entry& entry : self->entries_) entry.job.cancel();
  for (Entry& entry : self->entries_)
    if (entry.thread.joinable()) entry.thread.join();
  for (std::thread& thread : self->threads_) thread.join();
  self->settled_.Release();
}

Queue::Entry& Queue::enter(Napi::Env env, Job job) {
  if (entries_.empty()) settled_.Ref(env);  // holds the event loop open
  Entry& entry = entries_.emplace_back(Entry{.job = std::move(job), .deferred = Napi::Promise::Deferred::New(env)});
  entry.place = std::prev(entries_.end());
  return entry;
}

Napi::Promise Queue::add(Napi::Env env, const void* subject, Job job) {
  Entry& entry = enter(env, std::move(job));
  {
    std::lock_guard lock(mutex_);
    const auto line = lines_.try_emplace(subject).first;
    line->second.waiting.push_back(&entry);
    if (!line->second.running && line->second.waiting.size() == 1) ready_.push_back(line);
    if (ready_.size() > idle_ && threads_.size() < most_threads_) threads_.emplace_back([this] { serve(); });
  }
  wake_.notify_one();
  return entry.deferred.Promise();
}

Napi::Promise Queue::add_long(Napi::Env env, Job job) {
  Entry& entry = enter(env, std::move(job));
  const Napi::Promise promise = entry.deferred.Promise();
  entry.thread = std::thread([this, &entry] { run(entry); });
  return promise;
}

void Queue::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [&] { return stopping_ || !ready_.empty(); });
    --idle_;
    if (stopping_) return;
    const Lines::iterator line = ready_.front();
    ready_.pop_front();
    Entry& entry = *line->second.waiting.front();
    line->second.waiting.pop_front();
    line->second.running = true;
    lock.unlock();
    run(entry);
    lock.lock();
    line->second.running = false;
    if (line->second.waiting.empty()) lines_.erase(line);
    else ready_.push_back(line);
  }
}

void Queue::run(Entry& entry) {
  try {
    entry.job.work();
  } catch (...) {
    entry.failure = std::current_exception();
  }
  settled_.NonBlockingCall(&entry, [this](Napi::Env env, Napi::Function, Entry* done) {
    if (env) settle(env, *done);
  });
}

void Queue::settle(Napi::Env env, Entry& settled) {
  Napi::HandleScope scope(env);
  std::list<Entry> done;
  done.splice(done.end(), entries_, settled.place);
  if (entries_.empty()) settled_.Unref(env);
  Entry& entry = done.front();
  if (entry.thread.joinable()) entry.thread.join();
  try {
    if (entry.failure) std::rethrow_exception(entry.failure);
    entry.deferred.Resolve(entry.job.result(env));
  } catch (const Napi::Error& error) {
    entry.deferred.Reject(error.Value());
  } catch (...) {
    entry.deferred.Reject(current_error(env));
  }
}

}  // namespace fer::addon
