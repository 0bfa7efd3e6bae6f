// What one direction of the link does to datagrams, as commands say it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nsm::impair {

struct Faults {
  double drop_percent = 0;
  double burst_percent = 0;         // of datagrams begin a burst,
  std::uint64_t burst_length = 0;   // in which so many are lost
  double corrupt_percent = 0;       // one bit flipped
  double duplicate_percent = 0;     // the copy leaves right behind
  double reorder_percent = 0;       // held back
  std::uint64_t reorder_depth = 1;  // until 1 to so many later ones have passed
  std::uint64_t delay_ns = 0;
  std::uint64_t jitter_ns = 0;  // up to so much more, each datagram for itself
  std::uint64_t rate_bps = 0;   // 0: as fast as it comes
  std::uint64_t mtu_bytes = 0;  // longer IP packets vanish without a word; 0: none do
};

inline constexpr std::uint64_t kMaxReorderDepth = 1000;

// Executes `words`: one of
//
//   drop P | burst P LENGTH | corrupt P | duplicate P | reorder P DEPTH     percent of datagrams
//   delay MS [JITTER_MS] | rate BITS_PER_SECOND | mtu BYTES | clear
//
// Returns what is wrong with it, for a person; empty when it is done.
std::string set_fault(const std::vector<std::string_view>& words, Faults& faults);

}  // namespace nsm::impair
