// Threads for what keeps the kernel busy for long: a link is gone only when every CPU has let go
// of it, which takes 10 to 20 ms. Meanwhile the holder's only other thread serves everybody else.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "holder/event-loop.h"

namespace nsm::holder {

class Background {
 public:
  using Task = std::function<void()>;

  explicit Background(EventLoop& loop) : loop_(loop) {}
  ~Background();

  // Runs `work` in one of the threads, which start with the first, and then `done` in the event
  // loop. `work` must touch nothing that the event loop touches.
  void run(Task work, Task done);

 private:
  static constexpr int kThreads = 4;

  struct Job {
    Task work, done;
  };

  void start();
  void serve();
  void finish();

  EventLoop& loop_;
  Fd wake_;  // eventfd: jobs have finished
  std::mutex mutex_;
  std::condition_variable is_waiting_;
  std::deque<Job> waiting_;
  std::vector<Job> finished_;
  bool is_closing_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace nsm::holder
