// The outcome of a handshake message. Each outcome has a counter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nsm {

enum class Handled : std::uint8_t {
  kAccepted,      // valid, and the handshake goes on
  kMalformed,     // type, reserved bytes or length
  kBadMac1,       // the sender does not know our public key
  kRateLimited,   // under load: too many from this source
  kCookieSent,    // under load: the sender had no valid mac2
  kUnknownIndex,  // a reply to none of our handshakes
  kUnknownPeer,   // valid, but no peer of ours has this key
  kNotAuthentic,  // wrong keys, points of low order, damage
  kReplayed,      // its timestamp is not newer than the last one
  kTooFrequent,   // initiations of one peer less than 20 ms apart
};
inline constexpr std::size_t kHandledKinds = 10;

// The stable name of its counter, such as "handshake_bad_mac1".
std::string_view counter_name(Handled handled) noexcept;

}  // namespace nsm
