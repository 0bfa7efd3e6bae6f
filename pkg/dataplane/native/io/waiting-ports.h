// Ports whose packets wait for a sending key. The egress thread names them to the
// control thread, which then need not look at all ports.
#pragma once

#include <atomic>
#include <cstdint>

#include "io/doorbell.h"
#include "io/spsc-queue.h"

namespace nsm::io {

// Producer: the egress thread. Consumer: the control thread, which `bell` wakes.
class WaitingPorts {
 public:
  static constexpr std::size_t kCapacity = 4096;
  explicit WaitingPorts(const Doorbell& bell) : queue_(kCapacity), bell_(bell) {}

  // Never lost: when the queue is full, the control thread looks at every port.
  void add(std::uint64_t tag) noexcept {
    if (!queue_.push(std::move(tag))) overflowed_.store(true, std::memory_order_release);
    bell_.ring();
  }

  // Calls one(tag) for each port that was added, and all() when the queue has overflowed.
  template <typename One, typename All>
  void take(One&& one, All&& all) {
    for (std::uint64_t tag; queue_.pop(tag);) one(tag);
    if (overflowed_.exchange(false, std::memory_order_acq_rel)) all();
  }

 private:
  SpscQueue<std::uint64_t> queue_;
  std::atomic<bool> overflowed_{false};
  const Doorbell& bell_;
};

}  // namespace nsm::io
