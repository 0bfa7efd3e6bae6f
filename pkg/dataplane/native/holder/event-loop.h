// The event loop of the holder's main thread: epoll, timers and deferred tasks.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "io/fd.h"

namespace nsm::holder {

using io::Fd;

class EventLoop {
 public:
  using Handler = std::function<void(std::uint32_t events)>;
  using Task = std::function<void()>;

  EventLoop();

  // Calls `handler` while `fd` is ready for `events` (EPOLLIN, EPOLLOUT). The caller has to
  // call forget() before it closes `fd`.
  void watch(int fd, std::uint32_t events, Handler handler);
  // With `events` 0 not even a hang-up is reported.
  void change(int fd, std::uint32_t events);
  void forget(int fd);

  void after(std::chrono::milliseconds delay, Task task);
  // Runs `task` after the current handler has returned, so it may destroy the handler's owner.
  void defer(Task task) { deferred_.push_back(std::move(task)); }

  int run();
  void stop(int status);

 private:
  struct Watch {
    std::uint32_t generation;  // distinguishes a descriptor from an earlier one with the same number
    std::uint32_t events;
    std::shared_ptr<Handler> handler;
  };

  void control(int operation, int fd, const Watch& watch);
  void dispatch(int timeout_ms);
  void run_tasks();
  int next_timeout() const;

  Fd epoll_;
  std::uint32_t generation_ = 0;
  std::unordered_map<int, Watch> watches_;
  std::multimap<std::chrono::steady_clock::time_point, Task> timers_;
  std::vector<Task> deferred_;
  bool stopped_ = false;
  int status_ = 0;
};

}  // namespace nsm::holder
