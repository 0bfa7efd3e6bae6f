#include "holder/event-loop.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

namespace nsm::holder {

using std::chrono::steady_clock;

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

void EventLoop::watch(int fd, std::uint32_t events, Handler handler) {
  const Watch watch{++generation_, 0, std::make_shared<Handler>(std::move(handler))};
  watches_.insert_or_assign(fd, watch);
  change(fd, events);
}

void EventLoop::change(int fd, std::uint32_t events) {
  Watch& watch = watches_.at(fd);
  const std::uint32_t before = std::exchange(watch.events, events);
  if (before == events) return;
  control(before == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, fd, watch);
}

void EventLoop::forget(int fd) {
  if (!watches_.contains(fd)) return;
  change(fd, 0);
  watches_.erase(fd);
}

void EventLoop::control(int operation, int fd, const Watch& watch) {
  epoll_event event{};
  event.events = watch.events;
  event.data.u64 = static_cast<std::uint64_t>(watch.generation) << 32 | static_cast<std::uint32_t>(fd);
  epoll_ctl(epoll_.get(), operation, fd, &event);
}

void EventLoop::after(std::chrono::milliseconds delay, Task task) {
  timers_.emplace(steady_clock::now() + delay, std::move(task));
}

int EventLoop::run() {
  while (!stopped_) {
    dispatch(next_timeout());
    run_tasks();
  }
  return status_;
}

void EventLoop::stop(int status) {
  if (!stopped_) status_ = status;
  stopped_ = true;
}

int EventLoop::next_timeout() const {
  if (!deferred_.empty()) return 0;
  if (timers_.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void EventLoop::dispatch(int timeout_ms) {
  epoll_event events[64];
  const int count = epoll_wait(epoll_.get(), events, 64, timeout_ms);
  for (int i = 0; i < count; ++i) {
    const auto found = watches_.find(static_cast<int>(events[i].data.u64 & 0xffffffff));
    // An earlier handler of this round may have closed it.
    if (found == watches_.end() || found->second.generation != events[i].data.u64 >> 32) continue;
    if (found->second.events == 0) continue;
    const std::shared_ptr<Handler> handler = found->second.handler;
    (*handler)(events[i].events);
  }
}

void EventLoop::run_tasks() {
  while (!timers_.empty() && timers_.begin()->first <= steady_clock::now()) {
    auto timer = timers_.extract(timers_.begin());
    timer.mapped()();
  }
  for (const Task& task : std::exchange(deferred_, {})) task();
}

}  // namespace nsm::holder
