// The internet checksum (RFC 1071). Sums are kept in machine byte order: the
// one's complement sum does not mind, as long as the result is stored the same way.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bytes.h"

namespace nsm {

// Adds `data` to a running sum; only the last piece may have an odd length.
inline std::uint64_t checksum_add(std::uint64_t sum, ConstBytes data) noexcept {
  const std::uint8_t* at = data.data();
  std::size_t left = data.size();
  std::uint64_t a = sum, b = 0;
  unsigned long long carry_a = 0, carry_b = 0;
  for (; left >= 16; at += 16, left -= 16) {
    carry_a += __builtin_add_overflow(a, load_le<std::uint64_t>(at), &a);
    carry_b += __builtin_add_overflow(b, load_le<std::uint64_t>(at + 8), &b);
  }
  std::uint8_t tail[16] = {};
  if (left > 0) std::memcpy(tail, at, left);
  carry_a += __builtin_add_overflow(a, load_le<std::uint64_t>(tail), &a);
  carry_b += __builtin_add_overflow(b, load_le<std::uint64_t>(tail + 8), &b);
  carry_a += __builtin_add_overflow(a, b, &a) + carry_b;
  while (carry_a != 0) carry_a = __builtin_add_overflow(a, carry_a, &a);
  return a;
}

// Folds to 16 bits, not complemented: what a partial checksum field holds.
inline std::uint16_t checksum_fold(std::uint64_t sum) noexcept {
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>((sum >> 16) + (sum & 0xffff));
}

// Of the header at `ip`: addresses, protocol and the length of what follows it.
inline std::uint64_t pseudo_header_sum(ConstBytes ip, std::uint8_t protocol,
                                       std::size_t transport_bytes) noexcept {
  const bool v4 = ip[0] >> 4 == 4;
  std::uint8_t tail[8] = {};
  store_be32(tail, static_cast<std::uint32_t>(transport_bytes));
  tail[7] = protocol;
  return checksum_add(checksum_add(0, tail), v4 ? ip.subspan(12, 8) : ip.subspan(8, 32));
}

// Writes the checksum of an IPv4 header of `header_bytes`.
inline void write_ipv4_checksum(Bytes ip, std::size_t header_bytes) noexcept {
  store_le<std::uint16_t>(ip.data() + 10, 0);
  const std::uint16_t sum = checksum_fold(checksum_add(0, ip.first(header_bytes)));
  store_le<std::uint16_t>(ip.data() + 10, static_cast<std::uint16_t>(~sum));
}

}  // namespace nsm
