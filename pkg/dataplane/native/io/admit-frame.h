// What a TAP gives to a wire of Ethernet frames.
#pragma once

#include <optional>

#include "core/gso.h"
#include "io/counters.h"
#include "io/tun-reader.h"

namespace nsm::io {

struct FrameGate {
  std::uint32_t mtu_bytes;  // of the packet in a frame
  int device;               // the TAP, where answers go
};

// The frame, or the segments of a super-frame, with the MSS of a SYN lowered to
// what passes. Absent when it makes no sense, or its packet is too long: that is
// counted, and an IP packet is answered by Packet Too Big.
std::optional<GsoPacket> admit_frame(const TunPacket& frame, const FrameGate& gate,
                                     Counters& counters) noexcept;

}  // namespace nsm::io
