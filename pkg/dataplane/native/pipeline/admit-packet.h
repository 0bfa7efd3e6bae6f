// Second stage of egress for wires of IP packets: what a TUN device may send.
#pragma once

#include <optional>

#include "core/gso.h"
#include "pipeline/inner-rules.h"
#include "pipeline/packet-source.h"
#include "pipeline/tun-packet.h"

namespace nsm {

struct PacketGate {
  const InnerRules& rules;
  std::uint32_t mtu_bytes;  // of the wire now, at most that of the rules
  PacketSource& source;     // the TUN device, for Packet Too Big
};

// The packet, or the segments of a super-packet, with the MSS of a SYN lowered to the
// MTU. It is longer than the MTU only if it may be fragmented. Absent when it is
// malformed, longer than the MTU otherwise, or between addresses that the connection did
// not assign: that is counted, and one that is too long is answered with Packet Too Big.
std::optional<GsoPacket> admit_packet(const TunPacket& packet, const PacketGate& gate,
                                      Counters& counters) noexcept;

}  // namespace nsm
