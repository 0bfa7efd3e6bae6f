// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): the cipher of cookie replies,
// whose 24-byte nonce may be random.
#pragma once

#include "aead.h"
#include "bytes.h"

namespace nsm {

inline constexpr std::size_t kXNonceBytes = 24;
using XNonce = std::span<const std::uint8_t, kXNonceBytes>;

// The subkey of the first 16 bytes of the nonce.
SecretKey hchacha20(const SecretKey& key, std::span<const std::uint8_t, 16> nonce) noexcept;

// The key of one message of one nonce; use it with xnonce().
std::unique_ptr<AeadKey> make_xaead_key(const AeadImplementation& by, const SecretKey& key,
                                        XNonce nonce) noexcept;
std::array<std::uint8_t, kNonceBytes> xnonce(XNonce nonce) noexcept;

}  // namespace nsm
