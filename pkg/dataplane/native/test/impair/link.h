// One direction of the link: from one side's socket to the other's.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "delay-line.h"
#include "judge.h"

namespace nsm::impair {

// Of datagrams. received + duplicated = sent + refused + all that were lost + those still under way.
struct Statistics {
  std::uint64_t received = 0, sent = 0, duplicated = 0, corrupted = 0, held_back = 0;
  std::uint64_t dropped = 0, in_bursts = 0, too_big = 0, rate_queue = 0;  // by the faults
  std::uint64_t no_room = 0, no_peer = 0, refused = 0;  // by this program, and by the kernel when it sends
  std::uint64_t overrun = 0;                            // by the kernel, before we received them
};

std::string to_json(const Statistics& statistics);

class Link {
 public:
  explicit Link(std::uint64_t seed) noexcept : judge_(seed) {}

  Faults& faults() noexcept { return judge_.faults(); }
  Statistics& statistics() noexcept { return statistics_; }
  DelayLine& line() noexcept { return line_; }
  const DelayLine& line() const noexcept { return line_; }

  // A datagram came in; `header_bytes` of IP and UDP were in front of it.
  void take(std::span<const std::uint8_t> bytes, std::size_t header_bytes, std::uint64_t now_ns);

 private:
  void count_lost(Lost lost) noexcept;
  void put(DelayLine::Waiting&& datagram, std::uint64_t held_for);

  Judge judge_;
  DelayLine line_;
  Statistics statistics_;
};

}  // namespace nsm::impair
