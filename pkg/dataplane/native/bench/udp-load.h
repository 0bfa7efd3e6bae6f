// The packets of nsm-udp-load. A trial is one run of the sender, and trial numbers increase with time.
// The receiver counts the packets of the latest trial and reports them on request.
//
//   sender --Packet {trial, 0..n-1}--> receiver        then, repeatedly:
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
  std::uint64_t duplicated;  // packets that had already arrived
  std::uint64_t reordered;   // packets that arrived after one with a higher number
  std::uint64_t first_ns;    // CLOCK_MONOTONIC when the first and the last packet were read
  std::uint64_t last_ns;
};

inline constexpr std::uint64_t kMostPackets = 1ull << 28;  // per trial; each takes one bit of memory

int receive_load(const Options& options);
int send_load(const Options& options);

}  // namespace nsm::bench
