// What became of a handshake message; each but the first is a counter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nsm {

enum class Handled : std::uint8_t {
  kAccepted,
  kMalformed,     // type, reserved bytes or length
  kBadMac1,       // sent by who does not know our public key
  kRateLimited,   // too many from this source, under load
  kCookieSent,    // under load, and the sender has not shown its address
  kUnknownIndex,  // a reply to nothing we wait for
  kUnknownPeer,   // well made, but no peer of ours has this key
  kNotAuthentic,  // wrong keys, low-order points, damage
  kReplayed,      // a timestamp that is not newer than the last
  kTooFrequent,   // initiations of one peer closer than 20 ms
};
inline constexpr std::size_t kHandledKinds = 10;

// Stable snake_case name, as counters show it: "handshake_bad_mac1".
std::string_view counter_name(Handled handled) noexcept;

}  // namespace nsm
