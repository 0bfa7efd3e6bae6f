// mac1, mac2 and cookies (whitepaper section 5.4.4 and 5.4.7): how a receiver
// turns away handshakes of who does not know its public key, and under load of
// who has not shown its address.
#pragma once

#include <cstdint>

#include "aead.h"
#include "environment.h"
#include "messages.h"

namespace nsm {

// Of messages to the owner of a static key.
Key mac1_key(const Key& static_public) noexcept;
SecretKey cookie_key(const Key& static_public) noexcept;

// Messages that carry macs end with mac1 and mac2.
inline ConstBytes before_mac1(ConstBytes message) noexcept {
  return message.first(message.size() - 2 * kMacBytes);
}
inline ConstBytes before_mac2(ConstBytes message) noexcept {
  return message.first(message.size() - kMacBytes);
}
inline ConstBytes mac1_of(ConstBytes message) noexcept { return before_mac2(message).last(kMacBytes); }
inline ConstBytes mac2_of(ConstBytes message) noexcept { return message.last(kMacBytes); }

// `key` from mac1_key.
bool mac1_valid(const Key& key, ConstBytes message) noexcept;

// The side that hands cookies out. Its secret changes every 120 s.
class CookieMaker {
 public:
  CookieMaker(const AeadImplementation& aead, Random& random) noexcept : aead_(aead), random_(random) {}

  bool mac2_valid(ConstBytes message, const SocketAddress& from, Now now) noexcept;
  // The reply to `message`, whose mac1 is valid for `static_public`.
  CookieReply reply(ConstBytes message, const Key& static_public, const Mac& cookie) noexcept;
  // What the sender at this address has to use as key of mac2.
  Mac cookie(const SocketAddress& from, Now now) noexcept;

 private:
  const AeadImplementation& aead_;
  Random& random_;
  SecretKey secret_;
  std::uint64_t secret_until_ns_ = 0;
};

// The side that sends to one static key: makes the macs, keeps the cookie it was given.
class MessageStamper {
 public:
  MessageStamper(const AeadImplementation& aead, const Key& static_public) noexcept;

  void stamp(Bytes message, Now now) noexcept;
  // True when the reply belongs to the last stamped message: later messages carry mac2.
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
