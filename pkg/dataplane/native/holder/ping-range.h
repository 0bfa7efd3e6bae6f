// Ping sockets of unprivileged programs (icmp(7)): clients see by them whether their wire
// carries packets. The kernel's default lets no group open one; a namespace with a wire
// lets all, as other forwarders of NSM do. This is the only setting that the holder
// writes, and it writes nothing but these two values.
#pragma once

#include "holder/namespaces.h"

namespace nsm::holder {

// Lets all groups, unless net.ipv4.ping_group_range is no longer the default: any other
// value is the choice of whoever made the namespace. Returns whether it has.
bool allow_ping(const Namespaces& namespaces, const Namespace& target) noexcept;

// Back to the default, unless somebody else has changed it meanwhile.
void disallow_ping(const Namespaces& namespaces, const Namespace& target) noexcept;

}  // namespace nsm::holder
