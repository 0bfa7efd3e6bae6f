// The constants of the WireGuard protocol (whitepaper sections 5 and 6), apart
// from those of our own, which stand where they are used.
#pragma once

#include <cstdint>

#include "environment.h"

namespace nsm {

inline constexpr std::uint64_t kRekeyAfterMessages = 1ull << 60;
inline constexpr std::uint64_t kRejectAfterMessages = UINT64_MAX - (1ull << 13);  // 2^64 - 2^13 - 1
inline constexpr std::uint64_t kRekeyAfterNs = 120 * kNsPerSecond;
inline constexpr std::uint64_t kRejectAfterNs = 180 * kNsPerSecond;
inline constexpr std::uint64_t kRekeyAttemptNs = 90 * kNsPerSecond;
inline constexpr std::uint64_t kRekeyTimeoutNs = 5 * kNsPerSecond;
inline constexpr std::uint64_t kRekeyJitterMaxNs = 333 * kNsPerMs;
inline constexpr std::uint64_t kKeepaliveTimeoutNs = 10 * kNsPerSecond;
inline constexpr std::uint64_t kCookieSecretNs = 120 * kNsPerSecond;
// An established cookie is used a little shorter than its maker honours it.
inline constexpr std::uint64_t kCookieLatencyNs = 5 * kNsPerSecond;
inline constexpr std::uint64_t kInitiationSpacingNs =
    kNsPerSecond / 50;  // faster ones of one peer are a flood

}  // namespace nsm
