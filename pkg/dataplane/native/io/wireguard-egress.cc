#include "io/wireguard-egress.h"

#include "io/clock.h"
#include "pipeline/admit-frame.h"
#include "pipeline/admit-packet.h"

namespace nsm::io {

bool WireguardEgress::ready(std::uint64_t now_ns) noexcept {
  return sealer_.has_usable_key(now_ns) && !parts_.hold.load(std::memory_order_acquire);
}

void WireguardEgress::packets_waiting() noexcept {
  if (sealer_.has_usable_key(boot_ns()))
    return;  // on hold: the key of the new session is about to be installed
  parts_.waiting_ports.add(parts_.tag);
}

void WireguardEgress::take(const TunPacket& packet, EgressParts parts) noexcept {
  const std::uint32_t mtu_bytes = mtu();
  const auto segments = admit(packet, mtu_bytes);
  if (!segments) return;
  if (!is_too_long(*segments, mtu_bytes)) return seal(*segments, mtu_bytes, parts);
  parts_.counters.tx.add(Tx::fragmented, segments->segments());
  parts.fragmenter.split(*segments, mtu_bytes,
                         [&](const GsoPacket& piece) { seal(piece, mtu_bytes, parts); });
}

void WireguardEgress::seal(const GsoPacket& segments, std::uint32_t mtu_bytes, EgressParts parts) noexcept {
  // The longest packet is not padded, so it fits an underlay that it fits without padding.
  const Sealer::Into into{parts.batch, rules_->payload, mtu_bytes + framing_bytes(*rules_)};
  const std::size_t room = segments.segment_bytes() + Sealer::kMaxOverheadBytes;
  for (std::size_t i = 0; i < segments.segments(); i++) {
    if (!parts.batch.has_room(room)) flush(parts);
    if (!can_begin(parts.batch)) return parts_.counters.tx.add(Tx::no_session, segments.segments() - i);
    sealer_.add_segment(segments, i, into);
  }
  has_data_ = true;
}

std::optional<GsoPacket> WireguardEgress::admit(const TunPacket& packet, std::uint32_t mtu_bytes) noexcept {
  if (rules_->payload == Payload::kEthernet)
    return admit_frame(packet, {mtu_bytes, *device}, parts_.counters);
  return admit_packet(packet, {*rules_, mtu_bytes, *device}, parts_.counters);
}

// Whether a datagram may be added: the key is checked once for a whole batch.
bool WireguardEgress::can_begin(const DatagramBatch& batch) const noexcept {
  return !batch.empty() || sealer_.has_usable_key(boot_ns());
}

void WireguardEgress::flush(EgressParts parts) noexcept {
  if (!parts.batch.empty()) {
    sealer_.finish(parts.batch);
    parts.sender.send(parts_.target, parts.batch.datagrams(), parts_.counters);
    note_sent();
  }
  parts.batch.reset();
  has_data_ = false;
}

void WireguardEgress::note_sent() noexcept {
  parts_.activity.sent(boot_ns(), has_data_);
  parts_.activity.counter(sealer_.sealed());
}

void WireguardEgress::send_keepalive(EgressParts parts) noexcept {
  if (!can_begin(parts.batch)) return;
  sealer_.add_keepalive(parts.batch);
  flush(parts);
}

void WireguardEgress::send_probe_message(const ProbeMessage& message, EgressParts parts) noexcept {
  const std::size_t room = Sealer::plaintext_bytes(message) + Sealer::kMaxOverheadBytes;
  if (!ready(boot_ns()) || !parts.batch.has_room(room)) return;
  sealer_.add_probe_message(message, parts.batch);
  sealer_.finish(parts.batch);
  parts.sender.send_whole(parts_.target, parts.batch.datagrams().front(), parts_.counters);
  note_sent();
  parts.batch.reset();
}

}  // namespace nsm::io
