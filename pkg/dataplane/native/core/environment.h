// What the core takes from outside: the time, randomness, and where a datagram
// came from. Everything else is computed, so that a test decides all of it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "bytes.h"

namespace nsm {

inline constexpr std::uint64_t kNsPerMs = 1'000'000;
inline constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

struct Now {
  std::uint64_t boot_ns = 0;      // CLOCK_BOOTTIME: ages of keys and timers, also while suspended
  std::uint64_t realtime_ns = 0;  // CLOCK_REALTIME since 1970: only for TAI64N
};

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(Bytes out) noexcept = 0;  // cryptographically secure
};

// A UDP address of the underlay.
struct Endpoint {
  std::uint8_t family = 0;                    // 4, 6, or 0: not known
  std::uint16_t port = 0;                     // host byte order
  std::array<std::uint8_t, 16> address = {};  // IPv4: the first 4 bytes, the others zero
  bool known() const noexcept { return family != 0; }
  friend auto operator<=>(const Endpoint&, const Endpoint&) noexcept = default;
};

// Where and when a datagram came.
struct Arrival {
  const Endpoint& from;
  Now now;
};

}  // namespace nsm
