// One direction of the link, from one side's socket to the other's.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "delay-line.h"
#include "judge.h"

namespace nsm::impair {

// Counts of datagrams: received + duplicated = sent + refused + all lost ones + those in flight.
struct Statistics {
  std::uint64_t received = 0, sent = 0, duplicated = 0, corrupted = 0, held_back = 0;
  std::uint64_t dropped = 0, in_bursts = 0, too_big = 0, rate_queue = 0;  // by the faults
  std::uint64_t no_room = 0, no_peer = 0,
                refused = 0;  // lost in this program, and refused by the kernel on sending
  std::uint64_t overrun = 0;  // lost in the kernel's receive buffer
};

std::string to_json(const Statistics& statistics);

class Link {
 public:
  explicit Link(std::uint64_t seed) noexcept : judge_(seed) {}

  Faults& faults() noexcept { return judge_.faults(); }
  Statistics& statistics() noexcept { return statistics_; }
  DelayLine& line() noexcept { return line_; }
  const DelayLine& line() const noexcept { return line_; }

  // Takes a received datagram; `header_bytes` is the size of its IP and UDP headers.
  void take(std::span<const std::uint8_t> bytes, std::size_t header_bytes, std::uint64_t now_ns);

 private:
  void count_lost(Lost lost) noexcept;
  void put(DelayLine::Waiting&& datagram, std::uint64_t held_for);

  Judge judge_;
  DelayLine line_;
  Statistics statistics_;
};

}  // namespace nsm::impair
