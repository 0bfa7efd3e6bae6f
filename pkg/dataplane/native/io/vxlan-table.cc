#include "io/vxlan-table.h"

#include "core/vxlan.h"

namespace nsm::io {
namespace {

// The sender's port is a hash of the flow (RFC 7348 section 5): only the address names it.
bool is_same_host(const Endpoint& a, const Endpoint& b) noexcept {
  return a.family == b.family && a.address == b.address;
}

}  // namespace

void VxlanTable::deliver(const IngressUnderlay& underlay, Bytes datagram, const Endpoint& from,
                         const IngressParts& parts) noexcept {
  const auto header = read_vxlan_header(datagram);
  if (!header) return parts.engine.rx.add(Rx::malformed);
  if (!header->is_vxlan()) return parts.engine.rx.add(Rx::unknown_flags);
  const auto found = ports_.find(key(underlay.number, header->vni));
  if (found == ports_.end()) return parts.engine.rx.add(Rx::unknown_vni);
  VxlanIngress& port = *found->second;
  if (!is_same_host(from, port.remote)) return port.counters->rx.add(Rx::unknown_remote);
  const Bytes frame = datagram.subspan(kVxlanHeaderBytes);
  if (frame.size() > kMaxLinkHeaderBytes + port.mtu_bytes) return port.counters->rx.add(Rx::malformed);
  port.counters->rx.add(Rx::packets);
  port.counters->rx.add(Rx::bytes, datagram.size());
  if (!port.device) return port.counters->rx.add(Rx::no_wire);
  parts.writer.add_frame(*port.device, frame);
}

}  // namespace nsm::io
