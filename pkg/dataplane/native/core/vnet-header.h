// The header in front of every packet of a TUN or TAP device with IFF_VNET_HDR: struct
// virtio_net_hdr, 10 bytes, little endian (VIRTIO 1.2 section 5.1.6). It is hostile
// input, like all that comes from a device.
#pragma once

#include <cstdint>

namespace nsm {

struct VnetHeader {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t header_bytes = 0;  // only a hint (skb_headlen): never trusted
  std::uint16_t gso_bytes = 0;     // payload per segment
  std::uint16_t csum_start = 0;
  std::uint16_t csum_offset = 0;
};
inline constexpr std::size_t kVnetHeaderBytes = 10;
static_assert(sizeof(VnetHeader) == kVnetHeaderBytes);

inline constexpr std::uint8_t kVnetNeedsChecksum = 1;
inline constexpr std::uint8_t kVnetDataValid = 2;
inline constexpr std::uint8_t kGsoNone = 0;
inline constexpr std::uint8_t kGsoTcp4 = 1;
inline constexpr std::uint8_t kGsoTcp6 = 4;
inline constexpr std::uint8_t kGsoUdpL4 = 5;
inline constexpr std::uint8_t kGsoEcn = 0x80;  // a flag on top of a TCP type

}  // namespace nsm
