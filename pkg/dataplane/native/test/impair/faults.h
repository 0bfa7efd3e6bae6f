// The faults that one direction of the link applies to datagrams, and the commands that set them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nsm::impair {

struct Faults {
  double drop_percent = 0;
  double burst_percent = 0;         // of the datagrams begin a burst
  std::uint64_t burst_length = 0;   // in which so many datagrams are lost
  double corrupt_percent = 0;       // one bit flipped
  double duplicate_percent = 0;     // the copy follows at once
  double reorder_percent = 0;       // held back
  std::uint64_t reorder_depth = 1;  // until between 1 and this many later ones have passed
  std::uint64_t delay_ns = 0;
  std::uint64_t jitter_ns = 0;  // a random addition to the delay, per datagram
  std::uint64_t rate_bps = 0;   // 0: no limit
  std::uint64_t mtu_bytes = 0;  // longer IP packets are dropped without an ICMP error; 0: no limit
};

inline constexpr std::uint64_t kMaxReorderDepth = 1000;

// Executes the command in `words`, which is one of
//
//   drop P | burst P LENGTH | corrupt P | duplicate P | reorder P DEPTH     P: percent of the datagrams
//   delay MS [JITTER_MS] | rate BITS_PER_SECOND | mtu BYTES | clear
//
// Returns an error message; empty on success.
std::string set_fault(const std::vector<std::string_view>& words, Faults& faults);

}  // namespace nsm::impair
