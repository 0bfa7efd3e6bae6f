// Second stage of egress for wires of Ethernet frames: what a TAP device may send.
#pragma once

#include <optional>

#include "core/gso.h"
#include "pipeline/counters.h"
#include "pipeline/packet-source.h"
#include "pipeline/tun-packet.h"

namespace nsm {

struct FrameGate {
  std::uint32_t mtu_bytes;  // of the packet in a frame
  PacketSource& source;     // the TAP device, for Packet Too Big
};

// The frame, or the segments of a super-frame, with the MSS of a SYN lowered to the
// MTU. Its packet is longer than the MTU only if it may be fragmented. Absent when it is
// malformed or longer than the MTU otherwise: that is counted, and an IP packet that is
// too long is answered with Packet Too Big.
std::optional<GsoPacket> admit_frame(const TunPacket& frame, const FrameGate& gate,
                                     Counters& counters) noexcept;

}  // namespace nsm
