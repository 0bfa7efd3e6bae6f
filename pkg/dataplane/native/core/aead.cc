#include "aead.h"

#include <openssl/crypto.h>

namespace nsm {

AeadSuite::AeadSuite(bool ipsec_mb) {
  // Otherwise libcrypto reads its configuration file on first use, which the sandboxed
  // engine cannot do.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  auto fastest = ipsec_mb ? make_ipsec_mb_aead() : nullptr;
  if (fastest) implementations_.push_back(std::move(fastest));
  implementations_.push_back(make_libcrypto_aead());
}

std::unique_ptr<AeadKey> AeadSuite::make_key(AeadAlgorithm algorithm, const SecretKey& key) const noexcept {
  return preferred().make_key(algorithm, key);
}

}  // namespace nsm
