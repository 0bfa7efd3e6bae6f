// The constants of the WireGuard protocol (whitepaper sections 5 and 6). Constants of our
// own are defined where they are used.
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
// A cookie is used for a little less time than its issuer accepts it.
inline constexpr std::uint64_t kCookieLatencyNs = 5 * kNsPerSecond;
inline constexpr std::uint64_t kInitiationSpacingNs =
    kNsPerSecond / 50;  // what comes faster from one peer is a flood

}  // namespace nsm
