// The packets of nsm-udp-load. A trial is one run of the sender, its number grows
// with time; the receiver counts the latest trial and tells the sender when asked.
//
//   sender --Packet {trial, 0..n-1}--> receiver        then, again and again:
//   sender --Packet {trial, kAsk}----> receiver --Report--> sender
#pragma once

#include <cstdint>

#include "bench/options.h"

namespace nsm::bench {

inline constexpr std::uint64_t kAsk = UINT64_MAX;  // as a sequence number

struct Packet {
  std::uint64_t trial;
  std::uint64_t sequence;
};

struct Report {
  std::uint64_t trial;
  std::uint64_t received;    // different packets
  std::uint64_t duplicated;  // packets that had come before
  std::uint64_t reordered;   // packets behind one with a higher number
  std::uint64_t first_ns;    // CLOCK_MONOTONIC, when the first and the last packet were read
  std::uint64_t last_ns;
};

inline constexpr std::uint64_t kMostPackets = 1ull << 28;  // of one trial; a bit of memory each

int receive_load(const Options& options);
int send_load(const Options& options);

}  // namespace nsm::bench
