#include "pipeline/admit-packet.h"

#include "core/ipv4-fragments.h"
#include "core/mss-clamp.h"
#include "pipeline/packet-too-big.h"

namespace nsm {
namespace {

std::nullopt_t refuse(Tx why, Counters& counters) noexcept {
  counters.tx.add(why);
  return std::nullopt;
}

void answer_oversize(const InnerIp& inner, ConstBytes packet, const PacketGate& gate) noexcept {
  PacketTooBig answer;
  if (answer.make(inner, packet, gate.mtu_bytes)) gate.source.send_back(answer.bytes());
}

}  // namespace

std::optional<GsoPacket> admit_packet(const TunPacket& packet, const PacketGate& gate,
                                      Counters& counters) noexcept {
  const auto inner = parse_inner_ip(packet.bytes);
  if (!inner) return refuse(Tx::malformed, counters);
  if (!count_verdict(check_inner(*inner, gate.rules.local, gate.rules.remote), counters.tx))
    return std::nullopt;
  const Bytes bytes = packet.bytes.first(inner->total_bytes);
  clamp_mss(bytes, *inner, gate.mtu_bytes, (packet.header.flags & kVnetNeedsChecksum) == 0);
  const auto segments = GsoPacket::parse(packet.header, bytes, 0);
  if (!segments) return refuse(Tx::malformed, counters);
  if (segments->segment_bytes() <= gate.mtu_bytes) return segments;
  if (Ipv4Fragments::allows(*inner, bytes)) return segments;
  answer_oversize(*inner, bytes, gate);
  return refuse(Tx::oversize, counters);
}

}  // namespace nsm
