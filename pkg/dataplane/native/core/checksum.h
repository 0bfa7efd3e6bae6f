// The internet checksum (RFC 1071). Sums are kept in machine byte order, which is right
// for a one's complement sum as long as the result is stored in machine byte order, too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bytes.h"

namespace nsm {

// Adds with end-around carry.
inline std::uint64_t add_around(std::uint64_t a, std::uint64_t b) noexcept {
  return __builtin_add_overflow(a, b, &a) ? a + 1 : a;
}

// The sum of whole blocks of kChecksumBlock bytes, with the widest instructions of the CPU.
inline constexpr std::size_t kChecksumBlock = 64;
std::uint64_t checksum_blocks(const std::uint8_t* data, std::size_t blocks) noexcept;

// Adds `data` to a running sum; only the last piece may have an odd length.
inline std::uint64_t checksum_add(std::uint64_t sum, ConstBytes data) noexcept {
  const std::uint8_t* at = data.data();
  std::size_t left = data.size();
  if (const std::size_t blocks = left / kChecksumBlock; blocks > 1) {
    sum = add_around(sum, checksum_blocks(at, blocks));
    at += blocks * kChecksumBlock;
    left -= blocks * kChecksumBlock;
  }
  for (; left >= 8; at += 8, left -= 8) sum = add_around(sum, load_le<std::uint64_t>(at));
  std::uint8_t tail[8] = {};
  if (left > 0) std::memcpy(tail, at, left);
  return add_around(sum, load_le<std::uint64_t>(tail));
}

// Folds to 16 bits without complementing: the value of a partial checksum field.
inline std::uint16_t checksum_fold(std::uint64_t sum) noexcept {
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>((sum >> 16) + (sum & 0xffff));
}

// The sum of the pseudo header: addresses, protocol and length of the transport segment.
inline std::uint64_t pseudo_header_sum(ConstBytes ip, std::uint8_t protocol,
                                       std::size_t transport_bytes) noexcept {
  const bool v4 = ip[0] >> 4 == 4;
  std::uint8_t tail[8] = {};
  store_be32(tail, static_cast<std::uint32_t>(transport_bytes));
  tail[7] = protocol;
  return checksum_add(checksum_add(0, tail), v4 ? ip.subspan(12, 8) : ip.subspan(8, 32));
}

// Writes the header checksum of an IPv4 packet.
inline void write_ipv4_checksum(Bytes ip, std::size_t header_bytes) noexcept {
  store_le<std::uint16_t>(ip.data() + 10, 0);
  const std::uint16_t sum = checksum_fold(checksum_add(0, ip.first(header_bytes)));
  store_le<std::uint16_t>(ip.data() + 10, static_cast<std::uint16_t>(~sum));
}

}  // namespace nsm
