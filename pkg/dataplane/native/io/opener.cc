#include "io/opener.h"

#include <algorithm>

#include "core/framed.h"
#include "core/mss-clamp.h"
#include "io/clock.h"
#include "io/transport-message.h"

namespace nsm::io {
namespace {

// Few enough to be in the first-level cache still when what they carry is looked at.
constexpr std::size_t kOpenedTogether = 16;

}  // namespace

void Opener::install(WireguardIngress& port, std::unique_ptr<ReceiveKey> key) {
  const std::uint32_t index = key->local_index;
  sessions_.insert_or_assign(index, Session{&port, std::move(key)});
}

void Opener::add(Bytes datagram, const SocketAddress& from) noexcept {
  if (datagram.size() < kTransportOverheadBytes) return parts_.engine.rx.add(Rx::malformed);
  const auto found = sessions_.find(load_le<std::uint32_t>(datagram.data() + 4));
  if (found == sessions_.end()) return parts_.engine.rx.add(Rx::unknown_index);
  const auto plain = static_cast<std::uint32_t>(datagram.size() - kTransportOverheadBytes);
  const auto counter = load_le<std::uint64_t>(datagram.data() + 8);
  jobs_[count_] = {datagram.data() + kTransportHeaderBytes, plain, counter, false};
  arrivals_[count_] = {&found->second, &from};
  if (++count_ == kCapacity) flush();
}

void Opener::flush() noexcept {
  for (std::size_t first = 0; first < count_;) {
    std::size_t end = first + 1;
    const std::size_t most = std::min(count_, first + kOpenedTogether);
    while (end < most && arrivals_[end].session == arrivals_[first].session) end++;
    open_run(first, end);
    first = end;
  }
  count_ = 0;
}

// Arrivals `first` to `end` are of one session.
void Opener::open_run(std::size_t first, std::size_t end) noexcept {
  Session& session = *arrivals_[first].session;
  WireguardIngress& port = *session.port;
  const std::span<AeadJob> jobs{&jobs_[first], end - first};
  const std::uint64_t now_ns = boot_ns();
  if (!session.key->usable(now_ns)) return port.counters->rx.add(Rx::expired, jobs.size());
  session.key->key->open(jobs);
  const SocketAddress* from = nullptr;
  for (std::size_t i = 0; i < jobs.size(); i++) {
    if (accept(session, jobs[i])) from = arrivals_[first + i].from;
  }
  if (!from) return;
  session.key->save_counter();  // INVARIANT: before anything is delivered
  note_source(session, *from);
  bool has_data = false;
  for (const AeadJob& job : jobs) {
    if (job.ok) has_data |= deliver(port, job);
  }
  port.activity->received(now_ns, has_data);
}

// Leaves job.ok set only when the packet is authentic and new.
bool Opener::accept(Session& session, AeadJob& job) noexcept {
  auto& rx = session.port->counters->rx;
  if (!job.ok) {
    rx.add(Rx::auth_failed);
  } else if (!session.key->accept(job.counter)) {
    rx.add(Rx::replay);
    job.ok = false;
  }
  return job.ok;
}

void Opener::note_source(Session& session, const SocketAddress& from) noexcept {
  WireguardIngress& port = *session.port;
  if (!session.key->awaits_confirmation && !port.roaming) return;
  const Endpoint source = from.endpoint();
  if (session.key->awaits_confirmation) confirm(session, source);
  if (port.roaming && source != port.endpoint &&
      parts_.notes.push({port.underlay, MovedNote{port.tag, source}})) {
    port.endpoint = source;
  }
}

void Opener::confirm(Session& session, const Endpoint& source) noexcept {
  WireguardIngress& port = *session.port;
  port.hold->store(true,
                   std::memory_order_release);  // first: the control thread ends it when it has the note
  const bool noted =
      parts_.notes.push({port.underlay, ConfirmNote{port.tag, session.key->local_index, source}});
  if (!noted) port.hold->store(false, std::memory_order_release);
  session.key->awaits_confirmation = !noted;
}

// True when it was more than a keepalive.
bool Opener::deliver(WireguardIngress& port, const AeadJob& job) noexcept {
  port.counters->rx.add(Rx::packets);
  port.counters->rx.add(Rx::bytes, job.bytes + kTransportOverheadBytes);
  if (job.bytes == 0) {
    port.counters->rx.add(Rx::keepalives);
    return false;
  }
  const Bytes plaintext{job.text, job.bytes};
  if (port.path_messages.any() && is_path_message(plaintext)) {
    note_path(port, plaintext);
    return false;
  }
  port.rules->payload == Payload::kEthernet ? deliver_frame(port, plaintext)
                                            : deliver_packet(port, plaintext);
  return true;
}

void Opener::deliver_packet(WireguardIngress& port, Bytes packet) noexcept {
  const auto inner = parse_inner_ip(packet);
  if (!inner) {
    port.counters->rx.add(Rx::malformed);
  } else if (!port.device) {
    port.counters->rx.add(Rx::no_wire);
  } else if (count_verdict(check_inner(*inner, port.rules->remote, port.rules->local), port.counters->rx)) {
    const Bytes exact = packet.first(inner->total_bytes);
    clamp_mss(exact, *inner, mtu_bytes(*port.rules, *port.path_mtu), true);
    parts_.writer.add(*port.device, exact, *inner);
  }
}

void Opener::deliver_frame(WireguardIngress& port, Bytes plaintext) noexcept {
  const auto frame = read_frame(plaintext);
  if (!frame || frame->size() > kMaxLinkHeaderBytes + port.rules->mtu_bytes) {
    port.counters->rx.add(Rx::malformed);
  } else if (!port.device) {
    port.counters->rx.add(Rx::no_wire);
  } else {
    if (const auto inner = parse_ethernet_ip(*frame)) {
      const Bytes packet = frame->subspan(kEthernetBytes, inner->total_bytes);
      clamp_mss(packet, *inner, mtu_bytes(*port.rules, *port.path_mtu), true);
    }
    parts_.writer.add_frame(*port.device, *frame);
  }
}

void Opener::note_path(WireguardIngress& port, ConstBytes plaintext) noexcept {
  const auto message = read_path_message(plaintext);
  if (!message) return port.counters->rx.add(Rx::malformed);
  // However many wires a hostile node has, half of the queue is left to handshakes.
  const bool noted = parts_.notes.size() < Notes::kCapacity / 2 && port.path_messages.take(boot_ns()) &&
                     parts_.notes.push({port.underlay, PathNote{port.tag, *message}});
  if (!noted) port.counters->rx.add(Rx::path_excess);
}

}  // namespace nsm::io
