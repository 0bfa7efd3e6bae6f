#include "pipeline/vxlan-table.h"

#include "core/vxlan.h"

namespace nsm {
namespace {

// The source port of a datagram is a hash of the flow (RFC 7348 section 5), so only the address says who sent
// it.
bool is_same_host(const SocketAddress& a, const SocketAddress& b) noexcept {
  return a.family == b.family && a.address == b.address;
}

}  // namespace

void VxlanTable::take(Bytes datagram, const Origin& origin) noexcept {
  const auto header = read_vxlan_header(datagram);
  if (!header) return parts_.engine.rx.add(Rx::malformed);
  if (!header->is_vxlan()) return parts_.engine.rx.add(Rx::unknown_flags);
  const auto found = ports_.find(header->vni);
  if (found == ports_.end()) return parts_.engine.rx.add(Rx::unknown_vni);
  VxlanIngress& port = *found->second;
  if (!is_same_host(origin.from, port.remote)) return port.counters.rx.add(Rx::unknown_remote);
  port.deliver(datagram.subspan(kVxlanHeaderBytes), parts_.joiner);
}

}  // namespace nsm
