// Anti-replay filter of one session: remembers which of the last kUsable
// counters were seen (RFC 6479, with the window size of Linux).
#pragma once

#include <array>
#include <cstdint>

#include "wireguard-limits.h"

namespace nsm {

// One writer: the thread that owns the ReceiveKey. Not thread-safe.
class ReplayWindow {
 public:
  static constexpr std::uint64_t kBits = 8192;                 // counters
  static constexpr std::uint64_t kWordBits = 64;               // one word is always being cleared
  static constexpr std::uint64_t kUsable = kBits - kWordBits;  // 8128

  ReplayWindow() noexcept = default;
  // Refuses every counter up to and including `floor`: after a restart, what
  // was below it may have been delivered already.
  static ReplayWindow above(std::uint64_t floor) noexcept;

  // Returns true and remembers `counter` when it is new and not too old.
  // Call it only with counters of authenticated packets.
  bool accept(std::uint64_t counter) noexcept;

  std::uint64_t greatest() const noexcept { return next_ == 0 ? 0 : next_ - 1; }

 private:
  static constexpr std::uint64_t kWords = kBits / kWordBits;
  std::uint64_t next_ = 0;  // greatest accepted counter + 1; 0: none yet
  std::array<std::uint64_t, kWords> seen_ = {};
};

}  // namespace nsm
