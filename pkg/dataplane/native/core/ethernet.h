// The Ethernet header of the frames that a TAP device carries.
//
//     byte 0..5          6..11    12..13
//          destination   source   EtherType; 0x8100: a VLAN tag of 4 bytes comes first
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bytes.h"
#include "inner-ip.h"

namespace nsm {

inline constexpr std::size_t kEthernetBytes = 14;
inline constexpr std::size_t kMacAddressBytes = 6;
inline constexpr std::size_t kVlanTagBytes = 4;
inline constexpr std::size_t kMaxLinkHeaderBytes =
    kEthernetBytes + kVlanTagBytes;  // what comes on top of an MTU
inline constexpr std::size_t kEtherTypeAt = 12;
inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;

// Whether the frame is neither multicast nor broadcast.
inline bool is_unicast(ConstBytes frame) noexcept { return (frame[0] & 1) == 0; }

// The length of the Ethernet header of `frame`, with one VLAN tag if there is one.
// `frame` has at least kEthernetBytes.
inline std::size_t link_header_bytes(ConstBytes frame) noexcept {
  const bool tagged = load_be16(frame.data() + kEtherTypeAt) == kEtherTypeVlan;
  return kEthernetBytes + (tagged ? kVlanTagBytes : 0);
}

// The IP packet behind an untagged Ethernet header. Absent: another EtherType, or a
// packet that contradicts it. Bytes behind the packet are padding.
inline std::optional<InnerIp> parse_ethernet_ip(ConstBytes frame) noexcept {
  if (frame.size() <= kEthernetBytes) return std::nullopt;
  const std::uint16_t type = load_be16(frame.data() + kEtherTypeAt);
  const std::uint8_t version = frame[kEthernetBytes] >> 4;
  const bool fits = (type == kEtherTypeIpv4 && version == 4) || (type == kEtherTypeIpv6 && version == 6);
  return fits ? parse_inner_ip(frame.subspan(kEthernetBytes)) : std::nullopt;
}

}  // namespace nsm
