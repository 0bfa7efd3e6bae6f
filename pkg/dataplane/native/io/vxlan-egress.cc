#include "io/vxlan-egress.h"

#include <algorithm>

#include "core/gso.h"
#include "core/vxlan.h"

namespace nsm::io {
namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kVlanTagBytes = 4;
constexpr std::uint16_t kEtherTypeVlan = 0x8100;

// Of the headers in front of the packet inside the frame; one VLAN tag is looked through.
std::size_t link_header_bytes(ConstBytes frame) noexcept {
  const bool tagged = load_be16(frame.data() + 12) == kEtherTypeVlan;
  return kEthernetBytes + (tagged ? kVlanTagBytes : 0);
}

}  // namespace

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
