// First stage of egress: each read takes one packet or super-packet from a TUN or TAP
// device, with its virtio_net_hdr. The kernel keeps what is not read.
#pragma once

#include <memory>

#include "pipeline/tun-packet.h"

namespace nsm::io {

// Owner: the egress thread; one buffer serves all devices.
class TunReader {
 public:
  TunReader();
  enum class Result { kPacket, kNothing, kMalformed, kGone };
  Result read(int device, TunPacket& packet) noexcept;

 private:
  // Room for the virtio_net_hdr, the Ethernet header with a VLAN tag, and an IP packet. One
  // plain read is cheaper than a scattered one.
  static constexpr std::size_t kBufferBytes = 65536 + 64;
  std::unique_ptr<std::uint8_t[]> buffer_;
};

}  // namespace nsm::io
