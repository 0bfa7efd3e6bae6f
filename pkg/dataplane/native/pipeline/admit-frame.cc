#include "pipeline/admit-frame.h"

#include <algorithm>

#include "core/framed.h"
#include "core/ipv4-fragments.h"
#include "core/mss-clamp.h"
#include "pipeline/packet-too-big.h"

namespace nsm {
namespace {

std::nullopt_t refuse(Tx why, Counters& counters) noexcept {
  counters.tx.add(why);
  return std::nullopt;
}

void answer_oversize(ConstBytes frame, const InnerIp& inner, const FrameGate& gate) noexcept {
  PacketTooBig answer;
  if (!is_unicast(frame) || !answer.make(inner, frame.subspan(kEthernetBytes), gate.mtu_bytes)) return;
  answer.put_into_frame(frame);
  gate.source.send_back(answer.bytes());
}

}  // namespace

std::optional<GsoPacket> admit_frame(const TunPacket& frame, const FrameGate& gate,
                                     Counters& counters) noexcept {
  if (frame.bytes.size() < kEthernetBytes) return refuse(Tx::malformed, counters);
  const auto inner = parse_ethernet_ip(frame.bytes);
  if (inner) {
    const bool complete = (frame.header.flags & kVnetNeedsChecksum) == 0;
    clamp_mss(frame.bytes.subspan(kEthernetBytes, inner->total_bytes), *inner, gate.mtu_bytes, complete);
  }
  const std::size_t link = link_header_bytes(frame.bytes);
  const auto segments = GsoPacket::parse(frame.header, frame.bytes, link);
  if (!segments) return refuse(Tx::malformed, counters);
  const std::size_t most = std::min<std::size_t>(link + gate.mtu_bytes, kMaxFrameBytes);
  if (segments->segment_bytes() <= most) return segments;
  if (inner && Ipv4Fragments::allows(*inner, frame.bytes.subspan(kEthernetBytes))) return segments;
  if (inner) answer_oversize(frame.bytes, *inner, gate);
  return refuse(Tx::oversize, counters);
}

}  // namespace nsm
