// What the core gets from outside: time, randomness, and the source of a datagram. All
// else is computed from these, so a test controls everything.
#pragma once

#include <cstdint>

#include "bytes.h"
#include "socket-address.h"

namespace nsm {

inline constexpr std::uint64_t kNsPerMs = 1'000'000;
inline constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

struct Now {
  std::uint64_t boot_ns = 0;      // CLOCK_BOOTTIME, which includes suspend: ages of keys, timers
  std::uint64_t realtime_ns = 0;  // CLOCK_REALTIME since 1970: for TAI64N only
};

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(Bytes out) noexcept = 0;  // cryptographically secure
};

// Where a datagram came from, and when.
struct Arrival {
  const SocketAddress& from;
  Now now;
};

}  // namespace nsm
