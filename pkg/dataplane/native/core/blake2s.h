// BLAKE2s (RFC 7693) and what WireGuard builds on it: the keyed MAC of 16 bytes, and
// HMAC with Noise's key derivation. We have our own implementation because a flood of
// handshakes costs one mac1 check per message, and the overhead of libcrypto's generic
// MAC interface is several times the hash itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "bytes.h"

namespace nsm {

inline constexpr std::size_t kMacBytes = 16;
using Mac = std::array<std::uint8_t, kMacBytes>;

class Blake2s {
 public:
  static constexpr std::size_t kBlockBytes = 64;

  // `out_bytes`: 1..32. `key`: at most 32 bytes; empty for the unkeyed hash.
  explicit Blake2s(std::size_t out_bytes = kKeyBytes, ConstBytes key = {}) noexcept;
  ~Blake2s();
  Blake2s& update(ConstBytes data) noexcept;
  // Writes out_bytes. The object cannot be used any more afterwards.
  void finish(std::uint8_t* out) noexcept;
  Key digest() noexcept;  // finish() of a 32-byte hash

 private:
  void compress(const std::uint8_t* block, bool last) noexcept;

  std::array<std::uint32_t, 8> state_;
  std::uint64_t counter_ = 0;
  std::array<std::uint8_t, kBlockBytes> buffer_;
  std::size_t buffered_ = 0;
  std::size_t out_bytes_;
};

// HASH(a || b), as in the Noise transcript.
Key blake2s(ConstBytes a, ConstBytes b = {}) noexcept;
// MAC(key, data): keyed BLAKE2s of 16 bytes. `key` is 16 or 32 bytes.
Mac blake2s_mac(ConstBytes key, ConstBytes data) noexcept;
SecretKey hmac_blake2s(ConstBytes key, ConstBytes a, ConstBytes b = {}) noexcept;

// Noise's HKDF with as many outputs (1..3) as there are pointers.
void kdf(ConstBytes chaining_key, ConstBytes input, std::span<SecretKey* const> out) noexcept;

}  // namespace nsm
