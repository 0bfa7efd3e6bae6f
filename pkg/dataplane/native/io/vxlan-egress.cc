#include "io/vxlan-egress.h"

#include "core/vxlan.h"
#include "pipeline/admit-frame.h"

namespace nsm::io {

void VxlanEgress::take(const TunPacket& frame, EgressParts parts) noexcept {
  const auto segments = admit_frame(frame, {parts_.mtu_bytes, *device}, parts_.counters);
  if (!segments) return;
  if (!is_too_long(*segments, parts_.mtu_bytes)) return send(*segments, parts);
  parts_.counters.tx.add(Tx::fragmented, segments->segments());
  parts.fragmenter.split(*segments, parts_.mtu_bytes, [&](const GsoPacket& piece) { send(piece, parts); });
}

void VxlanEgress::send(const GsoPacket& segments, EgressParts parts) noexcept {
  const std::size_t longest = segments.segment_bytes();
  for (std::size_t i = 0; i < segments.segments(); i++) {
    if (!parts.batch.has_room(kVxlanHeaderBytes + longest)) flush(parts);
    std::uint8_t* datagram = parts.batch.space();
    write_vxlan_header(std::span<std::uint8_t, kVxlanHeaderBytes>(datagram, kVxlanHeaderBytes), parts_.vni);
    parts.batch.commit(kVxlanHeaderBytes + segments.write(i, {datagram + kVxlanHeaderBytes, longest}));
  }
}

void VxlanEgress::flush(EgressParts parts) noexcept {
  parts.sender.send(parts_.target, parts.batch.datagrams(), parts_.counters);
  parts.batch.reset();
}

}  // namespace nsm::io
