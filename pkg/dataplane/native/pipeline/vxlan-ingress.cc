#include "pipeline/vxlan-ingress.h"

#include "core/ethernet.h"
#include "core/vxlan.h"

namespace nsm {
namespace {

// The source port of a datagram is a hash of the flow (RFC 7348 section 5), so only the address says who sent
// it.
bool is_same_host(const SocketAddress& a, const SocketAddress& b) noexcept {
  return a.family == b.family && a.address == b.address;
}

}  // namespace

void VxlanTable::add(IngressPort& port) {
  auto& vxlan = static_cast<VxlanIngress&>(port);
  ports_[vxlan.vni] = &vxlan;
}

void VxlanTable::remove(const IngressPort& port) noexcept {
  ports_.erase(static_cast<const VxlanIngress&>(port).vni);
}

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

void VxlanIngress::deliver(Bytes frame, FlowJoiner& joiner) noexcept {
  if (frame.size() > kMaxLinkHeaderBytes + mtu_bytes) return counters.rx.add(Rx::malformed);
  counters.rx.add(Rx::packets);
  counters.rx.add(Rx::bytes, kVxlanHeaderBytes + frame.size());
  if (!device) return counters.rx.add(Rx::no_wire);
  joiner.add_frame(*device, frame);
}

}  // namespace nsm
