#include "io/wireguard-egress.h"

#include <unistd.h>

#include <algorithm>

#include "core/mss-clamp.h"
#include "io/admit-frame.h"
#include "io/clock.h"
#include "io/packet-too-big.h"
#include "io/transport-message.h"

namespace nsm::io {
namespace {

// Few enough to be in the first-level cache still when they are sealed.
constexpr std::size_t kSealedTogether = 12;

}  // namespace

bool WireguardEgress::ready(std::uint64_t now_ns) noexcept {
  return has_usable_key(now_ns) && !parts_.hold.load(std::memory_order_acquire);
}

void WireguardEgress::want() noexcept {
  if (has_usable_key(boot_ns())) return;  // a better one is on its way
  parts_.wants.add(parts_.tag);
}

void WireguardEgress::take(const TunPacket& packet, EgressParts parts) noexcept {
  const auto segments =
      has_frames() ? admit_frame(packet, {mtu(), device->fd}, parts_.counters) : admit_packet(packet);
  if (!segments) return;
  const std::size_t longest = segments->segment_bytes() + kFrameLengthBytes;
  for (std::size_t i = 0; i < segments->segments(); i++) {
    if (!parts.batch.has_room(longest + kPaddingBytes + kTransportOverheadBytes)) flush(parts);
    if (!can_begin(parts.batch)) return parts_.counters.tx.add(Tx::no_session, segments->segments() - i);
    const std::size_t plain = write_plaintext(*segments, i, parts.batch.space() + kTransportHeaderBytes);
    append(plain, parts.batch);
  }
  has_data_ = true;
}

// What of a device's packet goes over the wire; absent: it is refused, and counted.
std::optional<GsoPacket> WireguardEgress::admit_packet(const TunPacket& packet) noexcept {
  const auto inner = parse_inner_ip(packet.bytes);
  if (!inner) return refuse(Tx::malformed);
  if (!count_verdict(check_inner(*inner, rules_->local, rules_->remote), parts_.counters.tx))
    return std::nullopt;
  const Bytes bytes = packet.bytes.first(inner->total_bytes);
  clamp_mss(bytes, *inner, mtu(), (packet.header.flags & kVnetNeedsChecksum) == 0);
  const auto segments = GsoPacket::parse(packet.header, bytes, 0);
  if (!segments) return refuse(Tx::malformed);
  if (segments->segment_bytes() <= mtu()) return segments;
  answer_oversize(*inner, bytes);
  return refuse(Tx::oversize);
}

void WireguardEgress::answer_oversize(const InnerIp& inner, ConstBytes packet) noexcept {
  PacketTooBig answer;
  if (!answer.make(inner, packet, mtu())) return;
  // A full ring loses the answer; the sender's next packet makes another.
  [[maybe_unused]] const ssize_t written = write(device->fd, answer.bytes().data(), answer.bytes().size());
}

// Whether the key lasts for a batch: one that has begun is not looked at again.
bool WireguardEgress::can_begin(const EgressBatch& batch) const noexcept {
  return !batch.empty() || has_usable_key(boot_ns());
}

std::nullopt_t WireguardEgress::refuse(Tx why) noexcept {
  parts_.counters.tx.add(why);
  return std::nullopt;
}

std::size_t WireguardEgress::write_plaintext(const GsoPacket& segments, std::size_t index,
                                             std::uint8_t* out) const noexcept {
  const std::size_t longest = segments.segment_bytes();
  if (!has_frames()) return segments.write(index, {out, longest});
  const std::size_t frame_bytes = segments.write(index, {out + kFrameLengthBytes, longest});
  write_frame_length(std::span<std::uint8_t, kFrameLengthBytes>(out, kFrameLengthBytes), frame_bytes);
  return kFrameLengthBytes + frame_bytes;
}

// Makes a datagram of the plaintext that stands at its place in the batch; seal() completes it.
void WireguardEgress::append(std::size_t plain_bytes, EgressBatch& batch) noexcept {
  const std::size_t aligned = (plain_bytes + kPaddingBytes - 1) / kPaddingBytes * kPaddingBytes;
  const std::size_t padded =
      std::max<std::size_t>(plain_bytes, std::min<std::size_t>(aligned, longest_plaintext()));
  std::fill_n(batch.space() + kTransportHeaderBytes + plain_bytes, padded - plain_bytes, std::uint8_t{0});
  batch.commit(padded + kTransportOverheadBytes);
  if (batch.datagrams().size() - sealed_ == kSealedTogether) seal(batch);
}

void WireguardEgress::flush(EgressParts parts) noexcept {
  if (!parts.batch.empty()) {
    seal(parts.batch);
    parts.sender.send(parts_.target, parts.batch.datagrams(), parts_.counters);
    parts_.activity.sent(boot_ns(), has_data_);
    parts_.activity.counter(key_->next_counter);
  }
  parts.batch.reset();
  sealed_ = 0;
  has_data_ = false;
}

void WireguardEgress::seal(EgressBatch& batch) noexcept {
  std::array<AeadJob, kSealedTogether> jobs;
  std::size_t count = 0;
  for (const Datagram& datagram : batch.datagrams().subspan(sealed_)) {
    const std::uint64_t counter = key_->next_counter++;
    store_le<std::uint32_t>(datagram.data, kTransportType);
    store_le<std::uint32_t>(datagram.data + 4, key_->remote_index);
    store_le<std::uint64_t>(datagram.data + 8, counter);
    const std::uint32_t plain = datagram.bytes - kTransportOverheadBytes;
    jobs[count++] = {datagram.data + kTransportHeaderBytes, plain, counter, false};
  }
  key_->key->seal({jobs.data(), count});
  sealed_ += count;
}

void WireguardEgress::send_keepalive(EgressParts parts) noexcept {
  if (!can_begin(parts.batch)) return;
  append(0, parts.batch);
  flush(parts);
}

void WireguardEgress::send_path_message(const PathMessage& message, EgressParts parts) noexcept {
  EgressBatch& batch = parts.batch;
  const bool probe = message.kind == PathKind::kProbe;
  const std::size_t plain = probe ? message.bytes : kPathMessageBytes;
  if (!ready(boot_ns()) || !batch.has_room(plain + kTransportOverheadBytes)) return;
  write_path_message(message, {batch.space() + kTransportHeaderBytes, plain});
  batch.commit(plain + kTransportOverheadBytes);
  seal(batch);
  parts.sender.send_whole(parts_.target, batch.datagrams().front(), parts_.counters);
  parts_.activity.sent(boot_ns(), false);
  parts_.activity.counter(key_->next_counter);
  batch.reset();
  sealed_ = 0;
}

}  // namespace nsm::io
