// A naive receiver of fragments: checks each of them, and puts them together as RFC 791 says.
#pragma once

#include <map>
#include <optional>

#include "packets.h"

namespace nsm::test {

inline std::size_t header_bytes_of(const Packet& ip) { return (ip[0] & 15) * 4u; }
inline std::size_t offset_of(const Packet& ip) { return (load_be16(&ip[6]) & 0x1fff) * 8u; }
inline bool has_more(const Packet& ip) { return (ip[6] & 0x20) != 0; }

// A fragment that a receiver takes: length, checksum, no DF, multiples of 8 but for the last.
inline bool is_fragment_sound(const Packet& ip, std::size_t mtu_bytes) {
  const std::size_t header = header_bytes_of(ip);
  if (ip.size() > mtu_bytes || ip.size() <= header || load_be16(&ip[2]) != ip.size()) return false;
  if ((ip[6] & 0xc0) != 0 || (has_more(ip) && (ip.size() - header) % 8 != 0)) return false;
  return naive_checksum(Packet(ip.begin(), ip.begin() + static_cast<std::ptrdiff_t>(header))) == 0;
}

// The packet with the header of its first fragment, and flags, offset and checksum as they were
// in `whole`. Absent: something is missing or overlaps.
inline std::optional<Packet> reassemble(const std::vector<Packet>& fragments, const Packet& whole) {
  std::map<std::size_t, Packet> by_offset;
  for (const Packet& fragment : fragments)
    if (!by_offset.emplace(offset_of(fragment), fragment).second) return {};
  const Packet& first = by_offset.begin()->second;
  Packet out(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(header_bytes_of(first)));
  const std::size_t base = offset_of(whole);
  for (const auto& [offset, fragment] : by_offset) {
    if (offset - base != out.size() - header_bytes_of(first)) return {};
    out.insert(out.end(), fragment.begin() + static_cast<std::ptrdiff_t>(header_bytes_of(fragment)),
               fragment.end());
  }
  store_be16(&out[2], static_cast<std::uint16_t>(out.size()));
  std::copy_n(&whole[6], 2, &out[6]);
  std::copy_n(&whole[10], 2, &out[10]);
  return out;
}

// The options of a header that go into every fragment: what RFC 791 calls copied, the others as
// no-operations.
inline Packet copied_options(const Packet& ip) {
  Packet options(ip.begin() + 20, ip.begin() + static_cast<std::ptrdiff_t>(header_bytes_of(ip)));
  for (std::size_t at = 0; at < options.size() && options[at] != 0;) {
    std::size_t bytes = 1;
    if (options[at] != 1) {
      if (at + 1 >= options.size() || options[at + 1] < 2 || at + options[at + 1] > options.size()) break;
      bytes = options[at + 1];
      if (options[at] < 0x80) std::fill_n(&options[at], bytes, std::uint8_t{1});
    }
    at += bytes;
  }
  return options;
}

}  // namespace nsm::test
