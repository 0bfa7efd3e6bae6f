#include "io/vxlan-egress.h"

#include "core/gso.h"
#include "core/vxlan.h"

namespace nsm::io {

void VxlanEgress::take(const TunPacket& frame, EgressParts parts) noexcept {
  if (frame.bytes.size() < kEthernetBytes) return parts_.counters.tx.add(Tx::malformed);
  const std::size_t link = link_header_bytes(frame.bytes);
  const auto segments = GsoPacket::parse(frame.header, frame.bytes, link);
  if (!segments) return parts_.counters.tx.add(Tx::malformed);
  const std::size_t longest = segments->segment_bytes();
  if (longest > link + parts_.mtu_bytes) return parts_.counters.tx.add(Tx::oversize);
  for (std::size_t i = 0; i < segments->segments(); i++) {
    if (!parts.batch.has_room(kVxlanHeaderBytes + longest)) flush(parts);
    std::uint8_t* datagram = parts.batch.space();
    write_vxlan_header(std::span<std::uint8_t, kVxlanHeaderBytes>(datagram, kVxlanHeaderBytes), parts_.vni);
    parts.batch.commit(kVxlanHeaderBytes + segments->write(i, {datagram + kVxlanHeaderBytes, longest}));
  }
}

void VxlanEgress::flush(EgressParts parts) noexcept {
  parts.sender.send(parts_.target, parts.batch.datagrams(), parts_.counters);
  parts.batch.reset();
}

}  // namespace nsm::io
