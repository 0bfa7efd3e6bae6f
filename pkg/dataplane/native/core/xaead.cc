#include "xaead.h"

#include <bit>

#include "nonce.h"

namespace nsm {
namespace {

struct Quarter {
  std::size_t a, b, c, d;  // indexes of the state
};

void quarter_round(std::uint32_t* x, const Quarter& q) noexcept {
  x[q.a] += x[q.b], x[q.d] = std::rotl(x[q.d] ^ x[q.a], 16);
  x[q.c] += x[q.d], x[q.b] = std::rotl(x[q.b] ^ x[q.c], 12);
  x[q.a] += x[q.b], x[q.d] = std::rotl(x[q.d] ^ x[q.a], 8);
  x[q.c] += x[q.d], x[q.b] = std::rotl(x[q.b] ^ x[q.c], 7);
}

void double_round(std::uint32_t* x) noexcept {
  for (std::size_t i = 0; i < 4; i++) quarter_round(x, {i, 4 + i, 8 + i, 12 + i});
  for (std::size_t i = 0; i < 4; i++)
    quarter_round(x, {i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4});
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
