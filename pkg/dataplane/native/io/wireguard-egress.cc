#include "io/wireguard-egress.h"

#include <unistd.h>

#include <algorithm>

#include "core/gso.h"
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
  const auto inner = parse_inner_ip(packet.bytes);
  if (!inner) return parts_.counters.tx.add(Tx::malformed);
  if (!count_verdict(check_inner(*inner, rules_->local, rules_->remote), parts_.counters.tx)) return;
  const ConstBytes bytes = packet.bytes.first(inner->total_bytes);
  const auto segments = GsoPacket::parse(packet.header, bytes, 0);
  if (!segments) return parts_.counters.tx.add(Tx::malformed);
  const std::size_t longest = segments->segment_bytes();
  if (longest > rules_->mtu_bytes) return refuse_oversize(*inner, bytes);
  for (std::size_t i = 0; i < segments->segments(); i++) {
    if (!parts.batch.has_room(longest + kPaddingBytes + kTransportOverheadBytes)) flush(parts);
    if (!can_begin(parts.batch)) return parts_.counters.tx.add(Tx::no_session, segments->segments() - i);
    const std::size_t plain = segments->write(i, {parts.batch.space() + kTransportHeaderBytes, longest});
    append(plain, parts.batch);
  }
  has_data_ = true;
}

void WireguardEgress::refuse_oversize(const InnerIp& inner, ConstBytes packet) noexcept {
  parts_.counters.tx.add(Tx::oversize);
  PacketTooBig answer;
  if (!answer.make(inner, packet, rules_->mtu_bytes)) return;
  // A full ring loses the answer; the sender's next packet makes another.
  [[maybe_unused]] const ssize_t written = write(device->fd, answer.bytes().data(), answer.bytes().size());
}

// Whether the key lasts for a batch: one that has begun is not looked at again.
bool WireguardEgress::can_begin(const EgressBatch& batch) const noexcept {
  return !batch.empty() || has_usable_key(boot_ns());
}

// Makes a datagram of the plaintext that stands at its place in the batch; seal() completes it.
void WireguardEgress::append(std::size_t plain_bytes, EgressBatch& batch) noexcept {
  const std::size_t aligned = (plain_bytes + kPaddingBytes - 1) / kPaddingBytes * kPaddingBytes;
  const std::size_t padded =
      std::max<std::size_t>(plain_bytes, std::min<std::size_t>(aligned, rules_->mtu_bytes));
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

}  // namespace nsm::io
