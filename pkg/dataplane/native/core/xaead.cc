#include "xaead.h"

#include <bit>

#include "nonce.h"

namespace nsm {
namespace {

void quarter_round(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d) noexcept {
  a += b, d = std::rotl(d ^ a, 16);
  c += d, b = std::rotl(b ^ c, 12);
  a += b, d = std::rotl(d ^ a, 8);
  c += d, b = std::rotl(b ^ c, 7);
}

void double_round(std::uint32_t* x) noexcept {
  for (std::size_t i = 0; i < 4; i++) quarter_round(x[i], x[4 + i], x[8 + i], x[12 + i]);
  for (std::size_t i = 0; i < 4; i++)
    quarter_round(x[i], x[4 + (i + 1) % 4], x[8 + (i + 2) % 4], x[12 + (i + 3) % 4]);
}

}  // namespace

SecretKey hchacha20(const SecretKey& key, std::span<const std::uint8_t, 16> nonce) noexcept {
  constexpr char kConstant[] = "expand 32-byte k";
  std::uint32_t x[16];
  std::memcpy(x, kConstant, 16);
  std::memcpy(x + 4, key.data(), 32);
  std::memcpy(x + 12, nonce.data(), 16);
  for (int i = 0; i < 10; i++) double_round(x);
  SecretKey subkey;
  std::memcpy(subkey.data(), x, 16);
  std::memcpy(subkey.data() + 16, x + 12, 16);
  explicit_bzero(x, sizeof x);
  return subkey;
}

std::unique_ptr<AeadKey> make_xaead_key(const AeadImplementation& by, const SecretKey& key,
                                        XNonce nonce) noexcept {
  return by.make_key(AeadAlgorithm::kChaCha20Poly1305, hchacha20(key, nonce.first<16>()));
}

std::array<std::uint8_t, kNonceBytes> xnonce(XNonce nonce) noexcept {
  return counter_nonce(load_le<std::uint64_t>(nonce.data() + 16));
}

}  // namespace nsm
