// What a TAP gives to a wire of Ethernet frames.
#pragma once

#include <optional>

#include "core/gso.h"
#include "io/counters.h"
#include "io/tun-reader.h"

namespace nsm::io {

// The frame, or the segments of a super-frame. Absent when it makes no sense, or
// its packet is longer than `mtu_bytes`: then, as on a bridge, nobody answers; it is counted.
std::optional<GsoPacket> admit_frame(const TunPacket& frame, std::uint32_t mtu_bytes,
                                     Counters& counters) noexcept;

}  // namespace nsm::io
