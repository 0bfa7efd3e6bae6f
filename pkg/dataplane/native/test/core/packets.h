// Inner packets for tests, and naive functions that read them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace nsm::test {

using Packet = std::vector<std::uint8_t>;

struct PacketSpec {
  bool v6 = false;
  bool tcp = true;
  std::uint16_t source_port = 1000;
  std::uint32_t sequence = 1;
  std::uint8_t flags = 0x10;  // ACK
  std::uint16_t ip_id = 7;
  std::uint8_t tcp_options = 12;  // bytes, a multiple of 4
  std::size_t payload = 1000;
  std::uint8_t fill = 1;  // first byte of the payload; the following ones count up
  bool dont_fragment = true;
};

// The checksum of RFC 1071, computed word by word.
inline std::uint16_t naive_checksum(const Packet& data) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < data.size(); i += 2) {
    sum += static_cast<std::uint32_t>(data[i]) << 8;
    if (i + 1 < data.size()) sum += data[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

inline std::size_t ip_bytes(const Packet& ip) { return ip[0] >> 4 == 4 ? 20 : 40; }

// The pseudo-header and the transport segment, the input of the checksum.
inline Packet summed_part(const Packet& ip) {
  const bool v4 = ip[0] >> 4 == 4;
  const std::size_t at = ip_bytes(ip);
  Packet out(ip.begin() + (v4 ? 12 : 8), ip.begin() + static_cast<std::ptrdiff_t>(at));
  const auto length = static_cast<std::uint32_t>(ip.size() - at);
  const std::uint8_t tail[8] = {static_cast<std::uint8_t>(length >> 24),
                                static_cast<std::uint8_t>(length >> 16),
                                static_cast<std::uint8_t>(length >> 8),
                                static_cast<std::uint8_t>(length),
                                0,
                                0,
                                0,
                                v4 ? ip[9] : ip[6]};
  out.insert(out.end(), tail, tail + 8);
  out.insert(out.end(), ip.begin() + static_cast<std::ptrdiff_t>(at), ip.end());
  return out;
}

inline bool checksums_right(const Packet& ip) {
  if (ip[0] >> 4 == 4 && naive_checksum(Packet(ip.begin(), ip.begin() + 20)) != 0) return false;
  return naive_checksum(summed_part(ip)) == 0;
}

inline void finish_checksums(Packet& ip) {
  const std::size_t at = ip_bytes(ip);
  const bool v4 = ip[0] >> 4 == 4;
  const bool tcp = (v4 ? ip[9] : ip[6]) == 6;
  if (v4)
    store_be16(ip.data() + 10, 0),
        store_be16(ip.data() + 10, naive_checksum(Packet(ip.begin(), ip.begin() + 20)));
  std::uint8_t* const field = ip.data() + at + (tcp ? 16 : 6);
  store_be16(field, 0);
  const std::uint16_t sum = naive_checksum(summed_part(ip));
  store_be16(field, sum == 0 && !tcp ? 0xffff : sum);
}

inline Packet make_packet(const PacketSpec& spec) {
  const std::size_t ip = spec.v6 ? 40 : 20;
  const std::size_t transport = spec.tcp ? 20u + spec.tcp_options : 8u;
  Packet p(ip + transport + spec.payload);
  p[0] = spec.v6 ? 0x60 : 0x45;
  if (spec.v6) {
    store_be16(p.data() + 4, static_cast<std::uint16_t>(p.size() - 40));
    p[6] = spec.tcp ? 6 : 17;
    p[7] = 64;
    p[8] = p[24] = 0xfd;
    p[23] = 1, p[39] = 2;
  } else {
    store_be16(p.data() + 2, static_cast<std::uint16_t>(p.size()));
    store_be16(p.data() + 4, spec.ip_id);
    if (spec.dont_fragment) p[6] = 0x40;
    p[8] = 64;
    p[9] = spec.tcp ? 6 : 17;
    p[12] = p[16] = 10;
    p[15] = 1, p[19] = 2;
  }
  std::uint8_t* const t = p.data() + ip;
  store_be16(t, spec.source_port);
  store_be16(t + 2, 80);
  if (spec.tcp) {
    store_be32(t + 4, spec.sequence);
    store_be32(t + 8, 99);
    t[12] = static_cast<std::uint8_t>((20 + spec.tcp_options) / 4 << 4);
    t[13] = spec.flags;
    store_be16(t + 14, 501);
    std::fill_n(t + 20, spec.tcp_options, 1);
  } else {
    store_be16(t + 4, static_cast<std::uint16_t>(8 + spec.payload));
  }
  for (std::size_t i = 0; i < spec.payload; i++)
    t[transport + i] = static_cast<std::uint8_t>(spec.fill + i * 7);
  finish_checksums(p);
  return p;
}

}  // namespace nsm::test
