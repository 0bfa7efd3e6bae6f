#include "pipeline/opener.h"

#include <algorithm>

namespace nsm {
namespace {

// Few enough to be in the first-level cache still when their plaintext is read.
constexpr std::size_t kOpenedTogether = 16;

}  // namespace

void Opener::install(WireguardIngress& port, std::unique_ptr<ReceiveKey> key) {
  const std::uint32_t index = key->local_index;
  sessions_.insert_or_assign(index, Session{&port, std::move(key)});
}

void Opener::add(const DataAddress& address, Bytes datagram, const Origin& origin) noexcept {
  const auto found = sessions_.find(address.receiver);
  if (found == sessions_.end()) return parts_.engine.rx.add(Rx::unknown_index);
  const auto plain_bytes = static_cast<std::uint32_t>(datagram.size() - kDataOverheadBytes);
  jobs_[count_] = {datagram.data() + kDataHeaderBytes, plain_bytes, address.counter, false};
  arrivals_[count_] = {&found->second, &origin.from};
  if (++count_ == kCapacity) flush(origin.now_ns);
}

void Opener::flush(std::uint64_t now_ns) noexcept {
  for (std::size_t first = 0; first < count_;) {
    std::size_t end = first + 1;
    const std::size_t most = std::min(count_, first + kOpenedTogether);
    while (end < most && arrivals_[end].session == arrivals_[first].session) end++;
    open({{&jobs_[first], end - first}, {&arrivals_[first], end - first}, now_ns});
    first = end;
  }
  count_ = 0;
}

void Opener::open(const Run& run) noexcept {
  Session& session = *run.arrivals.front().session;
  WireguardIngress& port = *session.port;
  if (!session.key->usable(run.now_ns)) return port.counters.rx.add(Rx::expired, run.jobs.size());
  session.key->key->open(run.jobs);
  const SocketAddress* from = nullptr;
  for (std::size_t i = 0; i < run.jobs.size(); i++) {
    if (accept(session, run.jobs[i])) from = run.arrivals[i].from;
  }
  if (!from) return;
  session.key->save_counter();  // INVARIANT: before anything is delivered
  note_source(session, *from);
  bool has_data = false;
  for (const AeadJob& job : run.jobs) {
    if (job.ok) has_data |= deliver(port, job, run.now_ns);
  }
  port.activity->received(run.now_ns, has_data);
}

// Leaves job.ok set only if the packet is authentic and new.
bool Opener::accept(Session& session, AeadJob& job) noexcept {
  auto& rx = session.port->counters.rx;
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
  if (session.key->awaits_confirmation) confirm(session, from);
  if (port.roaming && from != port.endpoint &&
      parts_.notes.push({port.underlay, MovedNote{port.tag, from}})) {
    port.endpoint = from;
  }
}

void Opener::confirm(Session& session, const SocketAddress& from) noexcept {
  WireguardIngress& port = *session.port;
  // Before the note is pushed, because the control thread ends the hold when it reads it.
  port.hold->store(true, std::memory_order_release);
  const bool noted =
      parts_.notes.push({port.underlay, ConfirmNote{port.tag, session.key->local_index, from}});
  if (!noted) port.hold->store(false, std::memory_order_release);
  session.key->awaits_confirmation = !noted;
}

// True: it was data, neither a keepalive nor a probe message.
bool Opener::deliver(WireguardIngress& port, const AeadJob& job, std::uint64_t now_ns) noexcept {
  port.counters.rx.add(Rx::packets);
  port.counters.rx.add(Rx::bytes, job.bytes + kDataOverheadBytes);
  if (job.bytes == 0) {
    port.counters.rx.add(Rx::keepalives);
    return false;
  }
  const Bytes plaintext{job.text, job.bytes};
  if (port.probe_messages.any() && is_probe_message(plaintext)) {
    note_probe(port, plaintext, now_ns);
    return false;
  }
  port.deliver(plaintext, parts_.joiner);
  return true;
}

void Opener::note_probe(WireguardIngress& port, ConstBytes plaintext, std::uint64_t now_ns) noexcept {
  const auto message = read_probe_message(plaintext);
  if (!message) return port.counters.rx.add(Rx::malformed);
  // Half of the queue is reserved for handshakes, however many probes hostile nodes send.
  const bool noted = !parts_.notes.is_half_full() && port.probe_messages.take(now_ns) &&
                     parts_.notes.push({port.underlay, ProbeNote{port.tag, *message}});
  if (!noted) port.counters.rx.add(Rx::path_excess);
}

}  // namespace nsm
