// Loads and stores in either byte order, key types, and secrets that are wiped when
// they are destroyed.
#pragma once

#include <string.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace nsm {

static_assert(std::endian::native == std::endian::little, "loads below assume a little-endian machine");

using Bytes = std::span<std::uint8_t>;
using ConstBytes = std::span<const std::uint8_t>;

inline constexpr std::size_t kKeyBytes = 32;  // X25519 keys, AEAD keys, BLAKE2s hashes
using Key = std::array<std::uint8_t, kKeyBytes>;

// A secret of N bytes. Its memory is wiped when it goes out of scope.
template <std::size_t N>
struct Secret : std::array<std::uint8_t, N> {
  Secret() noexcept { this->fill(0); }
  explicit Secret(std::span<const std::uint8_t, N> from) noexcept {
    std::memcpy(this->data(), from.data(), N);
  }
  Secret(const Secret&) noexcept = default;
  Secret& operator=(const Secret&) noexcept = default;
  ~Secret() { wipe(); }
  void wipe() noexcept { explicit_bzero(this->data(), N); }
};
using SecretKey = Secret<kKeyBytes>;

// Compares in constant time: how long it takes does not depend on where the bytes differ.
template <typename A, typename B>
bool equal_constant_time(const A& a, const B& b) noexcept {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); i++) difference |= static_cast<std::uint8_t>(a[i] ^ b[i]);
  return difference == 0;
}

template <typename T>
T load_le(const std::uint8_t* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void store_le(std::uint8_t* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

inline std::uint16_t load_be16(const std::uint8_t* from) noexcept {
  return __builtin_bswap16(load_le<std::uint16_t>(from));
}
inline std::uint32_t load_be32(const std::uint8_t* from) noexcept {
  return __builtin_bswap32(load_le<std::uint32_t>(from));
}
inline std::uint64_t load_be64(const std::uint8_t* from) noexcept {
  return __builtin_bswap64(load_le<std::uint64_t>(from));
}
inline void store_be16(std::uint8_t* to, std::uint16_t value) noexcept {
  store_le(to, static_cast<std::uint16_t>(__builtin_bswap16(value)));
}
inline void store_be32(std::uint8_t* to, std::uint32_t value) noexcept {
  store_le(to, __builtin_bswap32(value));
}
inline void store_be64(std::uint8_t* to, std::uint64_t value) noexcept {
  store_le(to, __builtin_bswap64(value));
}

}  // namespace nsm
