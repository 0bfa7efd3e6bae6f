// mac1, mac2 and cookies (whitepaper sections 5.4.4 and 5.4.7). A receiver drops
// handshakes whose sender does not know its public key (mac1), and under load also
// those whose sender has not proven that it owns its source address (mac2).
#pragma once

#include <cstdint>

#include "aead.h"
#include "environment.h"
#include "messages.h"

namespace nsm {

// The keys of mac1 and of cookies in messages to the owner of a static key.
Key mac1_key(const Key& static_public) noexcept;
SecretKey cookie_key(const Key& static_public) noexcept;

// Initiations and responses end with mac1 and mac2.
inline ConstBytes before_mac1(ConstBytes message) noexcept {
  return message.first(message.size() - 2 * kMacBytes);
}
inline ConstBytes before_mac2(ConstBytes message) noexcept {
  return message.first(message.size() - kMacBytes);
}
inline ConstBytes mac1_of(ConstBytes message) noexcept { return before_mac2(message).last(kMacBytes); }
inline ConstBytes mac2_of(ConstBytes message) noexcept { return message.last(kMacBytes); }

// `key`: from mac1_key().
bool mac1_valid(const Key& key, ConstBytes message) noexcept;

// The side that issues cookies. Its secret changes every 120 s.
class CookieMaker {
 public:
  CookieMaker(const AeadImplementation& aead, Random& random) noexcept : aead_(aead), random_(random) {}

  bool mac2_valid(ConstBytes message, const SocketAddress& from, Now now) noexcept;
  // The cookie reply to `message`, whose mac1 is valid for `static_public`.
  CookieReply reply(ConstBytes message, const Key& static_public, const Mac& cookie) noexcept;
  // The cookie of a source address: the key of mac2 in messages from there.
  Mac cookie(const SocketAddress& from, Now now) noexcept;

 private:
  const AeadImplementation& aead_;
  Random& random_;
  SecretKey secret_;
  std::uint64_t secret_until_ns_ = 0;
};

// The side that sends to the owner of one static key: writes the MACs, keeps the cookie it received.
class MessageStamper {
 public:
  MessageStamper(const AeadImplementation& aead, const Key& static_public) noexcept;

  void stamp(Bytes message, Now now) noexcept;
  // Takes the cookie of a reply to the last stamped message: later messages carry mac2.
  // False: the reply is not authentic, or not for that message.
  bool consume(const CookieReply& reply, Now now) noexcept;

 private:
  const AeadImplementation& aead_;
  Key mac1_key_;
  SecretKey cookie_key_;
  Mac last_mac1_ = {};
  Mac cookie_ = {};
  std::uint64_t cookie_until_ns_ = 0;
  bool expects_reply_ = false;
};

}  // namespace nsm
