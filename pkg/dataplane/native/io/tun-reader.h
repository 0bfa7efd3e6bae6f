// First stage of egress: one packet or super-packet of a TUN or TAP, with its
// virtio_net_hdr, per read. The kernel keeps what is not read.
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
  // An IP packet with virtio_net_hdr, Ethernet and VLAN in front: one plain read costs less than a gathered
  // one.
  static constexpr std::size_t kBufferBytes = 65536 + 64;
  std::unique_ptr<std::uint8_t[]> buffer_;
};

}  // namespace nsm::io
