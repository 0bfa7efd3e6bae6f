// WireGuard's nonce: 4 zero bytes, then the counter, little endian.
#pragma once

#include <array>
#include <cstdint>

#include "aead.h"
#include "bytes.h"

namespace nsm {

inline std::array<std::uint8_t, kNonceBytes> counter_nonce(std::uint64_t counter) noexcept {
  std::array<std::uint8_t, kNonceBytes> nonce = {};
  store_le(nonce.data() + 4, counter);
  return nonce;
}

}  // namespace nsm
