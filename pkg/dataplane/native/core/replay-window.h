// Anti-replay filter of one session: remembers which of the last kUsable counters were
// seen (RFC 6479, with the window size of Linux).
#pragma once

#include <array>
#include <cstdint>

#include "wireguard-limits.h"

namespace nsm {

// One writer: the thread that owns the ReceiveKey. Not thread-safe.
class ReplayWindow {
 public:
  static constexpr std::uint64_t kBits = 8192;                 // counters
  static constexpr std::uint64_t kWordBits = 64;               // one word is always cleared
  static constexpr std::uint64_t kUsable = kBits - kWordBits;  // 8128

  ReplayWindow() noexcept = default;
  // A window that refuses every counter below `next`: after a restart, any of them may
  // have been delivered already.
  static ReplayWindow from(std::uint64_t next) noexcept;

  // Returns true and remembers `counter` when it is new and not too old. To be called
  // with counters of authentic packets only.
  bool accept(std::uint64_t counter) noexcept;

  // The greatest accepted counter + 1; 0: none yet.
  std::uint64_t next() const noexcept { return next_; }

 private:
  static constexpr std::uint64_t kWords = kBits / kWordBits;
  std::uint64_t next_ = 0;
  std::array<std::uint64_t, kWords> seen_ = {};
};

}  // namespace nsm
