#include "blake2s.h"

#include <algorithm>

namespace nsm {
namespace {

constexpr std::array<std::uint32_t, 8> kIv = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

constexpr std::uint8_t kSigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

struct Mix {
  std::uint32_t a, b, c, d;  // indexes of the working vector
};
constexpr Mix kMixes[8] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
                           {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14}};

// Unrolled so that all indexes are constants and the vector stays in registers: three times as fast.
[[gnu::always_inline]] inline void round(std::uint32_t* v, const std::uint32_t* m,
                                         const std::uint8_t* sigma) noexcept {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; i++) {
    const auto [a, b, c, d] = kMixes[i];
    v[a] += v[b] + m[sigma[2 * i]];
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 12);
    v[a] += v[b] + m[sigma[2 * i + 1]];
    v[d] = std::rotr(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 7);
  }
}

}  // namespace

Blake2s::Blake2s(std::size_t out_bytes, ConstBytes key) noexcept : state_(kIv), out_bytes_(out_bytes) {
  state_[0] ^=
      0x01010000u ^ (static_cast<std::uint32_t>(key.size()) << 8) ^ static_cast<std::uint32_t>(out_bytes);
  if (key.empty()) return;
  buffer_.fill(0);
  std::copy(key.begin(), key.end(), buffer_.begin());
  buffered_ = kBlockBytes;
}

Blake2s::~Blake2s() {
  explicit_bzero(state_.data(), sizeof state_);
  explicit_bzero(buffer_.data(), sizeof buffer_);
}

void Blake2s::compress(const std::uint8_t* block, bool last) noexcept {
  std::uint32_t m[16];
  std::uint32_t v[16];
  std::memcpy(m, block, sizeof m);
  std::copy(state_.begin(), state_.end(), v);
  std::copy(kIv.begin(), kIv.end(), v + 8);
  v[12] ^= static_cast<std::uint32_t>(counter_);
  v[13] ^= static_cast<std::uint32_t>(counter_ >> 32);
  if (last) v[14] = ~v[14];
#pragma GCC unroll 10
  for (std::size_t i = 0; i < 10; i++) round(v, m, kSigma[i]);
  for (std::size_t i = 0; i < 8; i++) state_[i] ^= v[i] ^ v[i + 8];
  explicit_bzero(m, sizeof m);  // message blocks contain keys (HMAC, key derivation, saved state)
}

Blake2s& Blake2s::update(ConstBytes data) noexcept {
  while (!data.empty()) {
    if (buffered_ == kBlockBytes) {  // the last block is kept for finish()
      counter_ += kBlockBytes;
      compress(buffer_.data(), false);
      buffered_ = 0;
    }
    const std::size_t take = std::min(data.size(), kBlockBytes - buffered_);
    std::memcpy(buffer_.data() + buffered_, data.data(), take);
    buffered_ += take;
    data = data.subspan(take);
  }
  return *this;
}

void Blake2s::finish(std::uint8_t* out) noexcept {
  counter_ += buffered_;
  std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(buffered_), buffer_.end(), 0);
  compress(buffer_.data(), true);
  std::memcpy(out, state_.data(), out_bytes_);
}

Key Blake2s::digest() noexcept {
  Key out;
  finish(out.data());
  return out;
}

Key blake2s(ConstBytes a, ConstBytes b) noexcept { return Blake2s().update(a).update(b).digest(); }

Mac blake2s_mac(ConstBytes key, ConstBytes data) noexcept {
  Mac mac;
  Blake2s(kMacBytes, key).update(data).finish(mac.data());
  return mac;
}

SecretKey hmac_blake2s(ConstBytes key, ConstBytes a, ConstBytes b) noexcept {
  Secret<Blake2s::kBlockBytes> pad;
  SecretKey inner;
  SecretKey out;
  std::copy(key.begin(), key.end(), pad.begin());  // Noise's keys are no longer than a block
  for (auto& byte : pad) byte ^= 0x36;
  Blake2s().update(pad).update(a).update(b).finish(inner.data());
  for (auto& byte : pad) byte ^= 0x36 ^ 0x5c;
  Blake2s().update(pad).update(inner).finish(out.data());
  return out;
}

void kdf(ConstBytes chaining_key, ConstBytes input, std::span<SecretKey* const> out) noexcept {
  const SecretKey secret = hmac_blake2s(chaining_key, input);
  SecretKey last;
  for (std::size_t i = 0; i < out.size(); i++) {
    const std::uint8_t number[1] = {static_cast<std::uint8_t>(i + 1)};
    last = hmac_blake2s(secret, i == 0 ? ConstBytes{} : ConstBytes{last}, number);
    *out[i] = last;
  }
}

}  // namespace nsm
