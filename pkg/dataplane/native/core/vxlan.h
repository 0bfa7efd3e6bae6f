// The VXLAN header (RFC 7348 section 5).
//
//     byte 0      1..3       4..6   7
//          flags  reserved   VNI    reserved
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bytes.h"
#include "ethernet.h"

namespace nsm {

inline constexpr std::size_t kVxlanHeaderBytes = 8;
inline constexpr std::size_t kVxlanVniAt = 4;  // in the upper 24 bits of the word there
inline constexpr std::uint8_t kVxlanFlagVni = 0x08;
// A port's VNI; 0 means "none chosen yet" between nodes, and careless senders use it.
inline constexpr std::uint32_t kVniMin = 1;
inline constexpr std::uint32_t kVniMax = (1u << 24) - 1;

// `vni` is at most kVniMax. The inner Ethernet frame starts behind the header.
inline void write_vxlan_header(std::span<std::uint8_t, kVxlanHeaderBytes> header,
                               std::uint32_t vni) noexcept {
  store_be32(header.data(), std::uint32_t{kVxlanFlagVni} << 24);
  store_be32(header.data() + kVxlanVniAt, vni << 8);
}

struct VxlanHeader {
  std::uint8_t flags = 0;
  std::uint32_t vni = 0;
  // With any flag besides I it is another protocol: GPE, GBP.
  bool is_vxlan() const noexcept { return flags == kVxlanFlagVni; }
};

// Absent: the datagram has no room for an Ethernet header behind it. Reserved fields are
// ignored on receipt, as the RFC demands.
inline std::optional<VxlanHeader> read_vxlan_header(ConstBytes datagram) noexcept {
  if (datagram.size() < kVxlanHeaderBytes + kEthernetBytes) return std::nullopt;
  return VxlanHeader{datagram[0], load_be32(datagram.data() + kVxlanVniAt) >> 8};
}

}  // namespace nsm
