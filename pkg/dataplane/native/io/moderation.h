// Interrupt moderation, as network cards do it: a thread that would be woken for
// every small packet lets a few of them come together first. A packet that comes
// alone never waits.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "io/clock.h"

namespace nsm::io {

// Owner: one data thread, which calls rest() each time before it would sleep.
class Moderation {
 public:
  // `packets`: how many came since the last call.
  void rest(std::size_t packets) noexcept {
    if (packets == 0) return;
    const std::uint64_t now_ns = boot_ns();
    const std::uint64_t gap_ns = std::min(now_ns - last_ns_, kQuietNs) / packets;
    average_gap_ns_ = (average_gap_ns_ * 7 + gap_ns) / 8;
    last_ns_ = now_ns;
    if (average_gap_ns_ * 2 > kRestNs) return;
    const timespec rest{0, kRestNs};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, nullptr);
  }

 private:
  static constexpr std::uint64_t kRestNs = 50'000;
  static constexpr std::uint64_t kQuietNs = 1'000'000;  // longer pauses count as this
  std::uint64_t last_ns_ = 0;
  std::uint64_t average_gap_ns_ = kQuietNs;
};

}  // namespace nsm::io
