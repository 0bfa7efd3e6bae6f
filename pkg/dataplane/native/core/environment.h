// What the core takes from outside: the time, randomness, and where a datagram
// came from. Everything else is computed, so that a test decides all of it.
#pragma once

#include <cstdint>

#include "bytes.h"
#include "socket-address.h"

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

// Where and when a datagram came.
struct Arrival {
  const SocketAddress& from;
  Now now;
};

}  // namespace nsm
