#include "pipeline/wireguard-ingress.h"

#include "core/ethernet.h"
#include "core/framed.h"
#include "core/mss-clamp.h"

namespace nsm {

void WireguardIngress::deliver(Bytes plaintext, FlowJoiner& joiner) noexcept {
  rules->payload == Payload::kEthernet ? deliver_frame(plaintext, joiner) : deliver_packet(plaintext, joiner);
}

void WireguardIngress::deliver_packet(Bytes packet, FlowJoiner& joiner) noexcept {
  const auto inner = parse_inner_ip(packet);
  if (!inner) {
    counters.rx.add(Rx::malformed);
  } else if (!device) {
    counters.rx.add(Rx::no_wire);
  } else if (count_verdict(check_inner(*inner, rules->remote, rules->local), counters.rx)) {
    const Bytes exact = packet.first(inner->total_bytes);
    clamp_mss(exact, *inner, mtu_bytes(*rules, *path_mtu), true);
    joiner.add(*device, exact, *inner);
  }
}

void WireguardIngress::deliver_frame(Bytes plaintext, FlowJoiner& joiner) noexcept {
  const auto frame = read_frame(plaintext);
  if (!frame || frame->size() > kMaxLinkHeaderBytes + rules->mtu_bytes) {
    counters.rx.add(Rx::malformed);
  } else if (!device) {
    counters.rx.add(Rx::no_wire);
  } else {
    if (const auto inner = parse_ethernet_ip(*frame)) {
      const Bytes packet = frame->subspan(kEthernetBytes, inner->total_bytes);
      clamp_mss(packet, *inner, mtu_bytes(*rules, *path_mtu), true);
    }
    joiner.add_frame(*device, *frame);
  }
}

}  // namespace nsm
