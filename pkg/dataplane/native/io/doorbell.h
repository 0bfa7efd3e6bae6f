// An eventfd that wakes a thread from epoll_wait. Any thread may ring it.
#pragma once

#include <sys/eventfd.h>

#include <cstdint>

#include "io/fd.h"

namespace nsm::io {

class Doorbell {
 public:
  Doorbell() noexcept : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  int fd() const noexcept { return fd_.get(); }
  void ring() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(fd_.get(), &one, sizeof one);  // full: it was rung already
  }
  void answer() const noexcept {
    std::uint64_t rings = 0;
    [[maybe_unused]] const ssize_t got = read(fd_.get(), &rings, sizeof rings);
  }

 private:
  Fd fd_;
};

}  // namespace nsm::io
