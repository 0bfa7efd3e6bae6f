// X25519 (RFC 7748) by libcrypto.
#pragma once

#include <memory>

#include "bytes.h"

struct evp_pkey_st;

namespace nsm {

// A private key with its public key. Wiped on destruction.
class X25519Key {
 public:
  // Any 32 bytes are a private key: X25519 clamps them.
  explicit X25519Key(const SecretKey& private_key) noexcept;
  const Key& public_key() const noexcept { return public_; }
  // False: the result is all zero, because `peer` is a point of low order; such a secret
  // would be known to everyone.
  bool agree(const Key& peer, SecretKey& shared) const noexcept;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  std::unique_ptr<evp_pkey_st, Free> key_;
  Key public_{};
};

}  // namespace nsm
