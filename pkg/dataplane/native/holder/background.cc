#include "holder/background.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <utility>

namespace nsm::holder {

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  is_waiting_.notify_all();
  threads_.clear();  // joins
  if (wake_) loop_.forget(wake_.get());
}

void Background::run(Task work, Task done) {
  if (threads_.empty()) start();
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(work), std::move(done)});
  }
  is_waiting_.notify_one();
}

void Background::start() {
  wake_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  loop_.watch(wake_.get(), EPOLLIN, [this](std::uint32_t) { finish(); });
  for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { serve(); });
}

void Background::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    is_waiting_.wait(lock, [this] { return is_closing_ || !waiting_.empty(); });
    if (is_closing_) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job.work();
    lock.lock();
    finished_.push_back(std::move(job));
    eventfd_write(wake_.get(), 1);
  }
}

void Background::finish() {
  eventfd_t count;
  eventfd_read(wake_.get(), &count);
  std::vector<Job> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs = std::exchange(finished_, {});
  }
  for (const Job& job : jobs) job.done();
}

}  // namespace nsm::holder
