#include "x25519.h"

#include <openssl/evp.h>

namespace nsm {

void X25519Key::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

X25519Key::X25519Key(const SecretKey& private_key) noexcept
    : key_(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, private_key.data(), private_key.size())) {
  std::size_t bytes = public_.size();
  EVP_PKEY_get_raw_public_key(key_.get(), public_.data(), &bytes);
}

bool X25519Key::agree(const Key& peer, SecretKey& shared) const noexcept {
  const std::unique_ptr<EVP_PKEY, Free> other(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), peer.size()));
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(key_.get(), nullptr), &EVP_PKEY_CTX_free);
  std::size_t bytes = shared.size();
  const bool derived = EVP_PKEY_derive_init(context.get()) == 1 &&
                       EVP_PKEY_derive_set_peer_ex(context.get(), other.get(), 0) == 1 &&
                       EVP_PKEY_derive(context.get(), shared.data(), &bytes) == 1;
  // libcrypto refuses an all-zero result itself, but we do not rely on that.
  return derived && !equal_constant_time(shared, Key{});
}

}  // namespace nsm
