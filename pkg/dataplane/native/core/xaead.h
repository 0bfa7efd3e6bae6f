// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): the cipher of cookie replies. Its
// nonce of 24 bytes may be random.
#pragma once

#include "aead.h"
#include "bytes.h"

namespace nsm {

inline constexpr std::size_t kXNonceBytes = 24;
using XNonce = std::span<const std::uint8_t, kXNonceBytes>;

// The subkey for the first 16 bytes of the nonce.
SecretKey hchacha20(const SecretKey& key, std::span<const std::uint8_t, 16> nonce) noexcept;

// The key for one message with this nonce; to be used with xnonce().
std::unique_ptr<AeadKey> make_xaead_key(const AeadImplementation& by, const SecretKey& key,
                                        XNonce nonce) noexcept;
std::array<std::uint8_t, kNonceBytes> xnonce(XNonce nonce) noexcept;

}  // namespace nsm
