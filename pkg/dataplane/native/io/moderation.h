// Interrupt moderation, as network cards have it: a thread that would be woken for every
// small packet lets a few of them arrive first. A packet that arrives alone never waits.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "io/clock.h"

namespace nsm::io {

// Owner: one data thread, which calls coalesce() each time before it polls.
class Moderation {
 public:
  // `packets`: how many arrived since the last call.
  void coalesce(std::size_t packets) noexcept {
    if (packets == 0) return;
    const std::uint64_t now_ns = boot_ns();
    const std::uint64_t gap_ns = std::min(now_ns - last_ns_, kQuietNs) / packets;
    average_gap_ns_ = (average_gap_ns_ * 7 + gap_ns) / 8;
    last_ns_ = now_ns;
    if (average_gap_ns_ * 2 > kWaitNs) return;
    const timespec wait{0, kWaitNs};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, nullptr);
  }

 private:
  static constexpr std::uint64_t kWaitNs = 50'000;
  static constexpr std::uint64_t kQuietNs = 1'000'000;  // longer gaps count as this
  std::uint64_t last_ns_ = 0;
  std::uint64_t average_gap_ns_ = kQuietNs;
};

}  // namespace nsm::io
