// MSS clamping: limits TCP's maximum segment size (RFC 9293 section 3.7.1) to the MTU of
// a wire, for senders that do not get our ICMP errors.
#pragma once

#include "inner-ip.h"

namespace nsm {

// Lowers the MSS option of a SYN so that the packets of its connection are at most
// `mtu_bytes` long. Any other packet stays as it is. `complete`: the checksum is
// complete and has to be updated; false: it is partial and will be completed later.
void clamp_mss(Bytes packet, const InnerIp& ip, std::uint32_t mtu_bytes, bool complete) noexcept;

}  // namespace nsm
