// Commands from the control thread to a data thread: none is lost, and the
// control thread can wait until all are done.
//
// INVARIANT: a data thread never waits for the control thread, so the control
// thread may wait for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "io/doorbell.h"
#include "io/spsc-queue.h"

namespace nsm::io {

template <typename Command>
class Channel {
 public:
  explicit Channel(std::size_t capacity) : queue_(capacity) {}

  // Control thread.
  void post(Command&& command) {
    for (;;) {
      const std::uint64_t done = done_.load(std::memory_order_acquire);
      // NOLINTNEXTLINE(bugprone-use-after-move): a push that fails leaves the command as it is.
      if (queue_.push(std::move(command))) break;
      bell_.ring();
      done_.wait(done, std::memory_order_acquire);
    }
    posted_++;
    bell_.ring();
  }
  // Returns when the data thread has done all that was posted: it then holds no
  // reference that a command took away.
  void settle() const noexcept {
    std::uint64_t done;
    while ((done = done_.load(std::memory_order_acquire)) != posted_)
      done_.wait(done, std::memory_order_acquire);
  }

  // Data thread: runs `execute` on each command when the descriptor is readable.
  int fd() const noexcept { return bell_.fd(); }
  template <typename Execute>
  void serve(Execute&& execute) {
    bell_.answer();
    Command command;
    while (queue_.pop(command)) {
      execute(std::move(command));
      done_.fetch_add(1, std::memory_order_release);
      done_.notify_one();
    }
  }

 private:
  SpscQueue<Command> queue_;
  Doorbell bell_;
  std::uint64_t posted_ = 0;
  std::atomic<std::uint64_t> done_{0};
};

}  // namespace nsm::io
