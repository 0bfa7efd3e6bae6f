#include "cookie.h"

#include <algorithm>

#include "noise.h"
#include "wireguard-limits.h"

namespace nsm {

Key mac1_key(const Key& static_public) noexcept { return blake2s(as_bytes("mac1----"), static_public); }
SecretKey cookie_key(const Key& static_public) noexcept {
  return SecretKey(blake2s(as_bytes("cookie--"), static_public));
}

bool mac1_valid(const Key& key, ConstBytes message) noexcept {
  return equal_constant_time(blake2s_mac(key, before_mac1(message)), mac1_of(message));
}

Mac CookieMaker::cookie(const SocketAddress& from, Now now) noexcept {
  if (now.boot_ns >= secret_until_ns_) {
    random_.fill(secret_);
    secret_until_ns_ = now.boot_ns + kCookieSecretNs;
  }
  std::array<std::uint8_t, 1 + 16 + 2> source = {};
  source[0] = from.family;
  std::copy(from.address.begin(), from.address.end(), source.begin() + 1);
  store_be16(source.data() + 17, from.port);
  return blake2s_mac(secret_, source);
}

bool CookieMaker::mac2_valid(ConstBytes message, const SocketAddress& from, Now now) noexcept {
  return equal_constant_time(blake2s_mac(cookie(from, now), before_mac2(message)), mac2_of(message));
}

CookieReply CookieMaker::reply(ConstBytes message, const Key& static_public, const Mac& cookie) noexcept {
  auto reply = make_message<CookieReply>();
  std::copy_n(message.data() + sizeof(TypeField), reply.receiver.size(),
              reply.receiver.begin());  // the index of its sender
  random_.fill(reply.nonce);
  std::copy(cookie.begin(), cookie.end(), reply.cookie.begin());
  const auto key = make_xaead_key(aead_, cookie_key(static_public), reply.nonce);
  key->seal_one(reply.cookie, xnonce(reply.nonce), mac1_of(message));
  return reply;
}

MessageStamper::MessageStamper(const AeadImplementation& aead, const Key& static_public) noexcept
    : aead_(aead), mac1_key_(mac1_key(static_public)), cookie_key_(cookie_key(static_public)) {}

void MessageStamper::stamp(Bytes message, Now now) noexcept {
  std::uint8_t* macs = message.data() + message.size() - 2 * kMacBytes;
  last_mac1_ = blake2s_mac(mac1_key_, before_mac1(message));
  std::copy(last_mac1_.begin(), last_mac1_.end(), macs);
  expects_reply_ = true;
  if (now.boot_ns >= cookie_until_ns_) return;  // mac2 stays zero
  const Mac mac2 = blake2s_mac(cookie_, before_mac2(message));
  std::copy(mac2.begin(), mac2.end(), macs + kMacBytes);
}

bool MessageStamper::consume(const CookieReply& reply, Now now) noexcept {
  if (!expects_reply_) return false;
  auto sealed = reply.cookie;
  const auto key = make_xaead_key(aead_, cookie_key_, reply.nonce);
  if (!key->open_one(sealed, xnonce(reply.nonce), last_mac1_)) return false;
  std::copy_n(sealed.begin(), cookie_.size(), cookie_.begin());
  cookie_until_ns_ = now.boot_ns + kCookieSecretNs - kCookieLatencyNs;
  expects_reply_ = false;  // one reply per message: a repeated one has no effect
  return true;
}

}  // namespace nsm
