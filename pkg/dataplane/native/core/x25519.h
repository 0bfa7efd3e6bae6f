// X25519 (RFC 7748) by libcrypto.
#pragma once

#include <memory>

#include "bytes.h"

struct evp_pkey_st;

namespace nsm {

// A private key with its public key. Wiped on destruction.
class X25519Key {
 public:
  // Any 32 bytes are a key: the function itself clamps them.
  explicit X25519Key(const SecretKey& private_key) noexcept;
  const Key& public_key() const noexcept { return public_; }
  // False when the result is all zero: `peer` is a point of low order, and the
  // secret would be known to everybody.
  bool agree(const Key& peer, SecretKey& shared) const noexcept;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  std::unique_ptr<evp_pkey_st, Free> key_;
  Key public_{};
};

}  // namespace nsm
