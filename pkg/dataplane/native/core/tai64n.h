// TAI64N timestamps of handshake initiations: 8 bytes of TAI seconds since 1970 plus
// 2^62, then 4 bytes of nanoseconds, big endian, so that they compare as bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "bytes.h"
#include "environment.h"

namespace nsm {

inline constexpr std::size_t kTimestampBytes = 12;
using Timestamp = std::array<std::uint8_t, kTimestampBytes>;  // all zero: none

// Rounded down to 2^24 ns, as in WireGuard: enough for 50 initiations a second, without
// revealing a precise clock.
inline Timestamp tai64n(std::uint64_t realtime_ns) noexcept {
  constexpr std::uint64_t kTaiOffset = 0x400000000000000aull;  // 2^62 + 10 s
  constexpr std::uint32_t kWhitenMask = ~((1u << 24) - 1);
  Timestamp stamp;
  store_be64(stamp.data(), kTaiOffset + realtime_ns / kNsPerSecond);
  store_be32(stamp.data() + 8, static_cast<std::uint32_t>(realtime_ns % kNsPerSecond) & kWhitenMask);
  return stamp;
}

// The stamp to send now: later than `last` even when the clock stood still or was set back.
inline Timestamp later_than(const Timestamp& last, Timestamp now) noexcept {
  if (now > last) return now;
  now = last;
  for (auto byte = now.rbegin(); byte != now.rend() && ++*byte == 0;) ++byte;
  return now;
}

}  // namespace nsm
