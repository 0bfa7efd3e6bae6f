// TCP's maximum segment size (RFC 9293 section 3.7.1) kept within what a wire
// passes, for senders that never hear of a Packet Too Big.
#pragma once

#include "inner-ip.h"

namespace nsm {

// Lowers the MSS option of a SYN so that its connection's packets are at most
// `mtu_bytes` long; leaves everything else as it is. `complete`: the checksum
// covers the segment and follows the change; otherwise it is still to be made.
void clamp_mss(Bytes packet, const InnerIp& ip, std::uint32_t mtu_bytes, bool complete) noexcept;

}  // namespace nsm
