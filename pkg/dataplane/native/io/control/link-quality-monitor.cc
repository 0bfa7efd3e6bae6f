#include "io/control/link-quality-monitor.h"

#include <algorithm>

#include "io/control/port-fields.h"
#include "io/control/wireguard-port.h"

namespace nsm::io {
namespace {

using namespace protocol;

constexpr std::uint64_t kCarrierRetryNs = 200 * kNsPerMs;  // while no wire has a session
constexpr std::uint64_t kCheckNs = 200 * kNsPerMs;         // from the check of one session to the next
constexpr std::uint64_t kUnansweredNs = 500 * kNsPerMs;    // data without an answer: to be checked first
constexpr std::size_t kLookedAt = 64;                      // wires, to find one to be checked
constexpr const char* kNoEcho = "the remote node does not answer probes";

bool is_established(WireguardPort& port, Now now) {
  return port.peer().state(now) == nsm::SessionState::kEstablished;
}

bool works(WireguardPort& port, Now now) {
  return port.peer().verdict() == nsm::Verdict::kUp && is_established(port, now);
}

bool is_unanswered(WireguardPort& port, Now now) {
  const std::uint64_t since = port.peer().activity().unanswered_since_ns.load(std::memory_order_relaxed);
  return since != 0 && now.boot_ns >= since + kUnansweredNs;
}

std::uint32_t as_us(std::uint64_t ns) noexcept {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ns / 1000, UINT32_MAX));
}

}  // namespace

void LinkQualityMonitor::join(WireguardPort& port, const SocketAddress& to) {
  const auto known = by_port_.find(&port);
  if (known != by_port_.end() && known->second->address != to) leave(port);
  Remote& remote = by_address_.try_emplace(to, to, port.agreed_bytes()).first->second;
  if (by_port_.emplace(&port, &remote).second) remote.ports.push_back(&port);
  // A greater MTU does not concern the other wires: their own limit stays as agreed.
  remote.quality.want_mtu(port.agreed_bytes());
  port.use_path_mtu(remote.quality.mtu_bytes());
  agenda_.set(remote, 0);
}

void LinkQualityMonitor::leave(WireguardPort& port) noexcept {
  const auto found = by_port_.find(&port);
  if (found == by_port_.end()) return;
  Remote& remote = *found->second;
  by_port_.erase(found);
  std::erase(remote.ports, &port);
  remote.echoed.erase(&port);
  if (remote.carrier == &port) remote.carrier = nullptr;
  if (remote.checked == &port) remote.forget_check();
  if (!remote.ports.empty()) return;
  agenda_.set(remote, UINT64_MAX);
  const SocketAddress address = remote.address;  // a copy: the remote is destroyed with its entry
  by_address_.erase(address);
}

void LinkQualityMonitor::use_mtu(const Remote& remote) noexcept {
  for (WireguardPort* port : remote.ports) port->use_path_mtu(remote.quality.mtu_bytes());
}

void LinkQualityMonitor::on_message(WireguardPort& port, const ProbeMessage& message, Now now) {
  const auto found = by_port_.find(&port);
  if (found == by_port_.end()) return;
  if (message.kind == ProbeMessageKind::kProbe) {
    ProbeMessage echo = message;
    echo.kind = ProbeMessageKind::kEcho;
    return parts_.threads.egress.post(SendProbeMessage{port.egress(), echo});
  }
  Remote& remote = *found->second;
  if (remote.checked == &port && remote.check.is_ours(message)) {
    remote.check.echoed(message);
    return note_echo(remote, port);
  }
  const nsm::Verdict before = remote.quality.verdict();
  if (remote.quality.echoed(message, now.boot_ns)) {
    remote.carrier = &port;
    note_echo(remote, port);
  }
  if (remote.quality.verdict() != before) report_verdict(remote, now);
}

// The first one takes the probes over: what others have lost so far may have gone to a node that does not
// know them.
void LinkQualityMonitor::note_echo(Remote& remote, WireguardPort& port) {
  const bool is_first = remote.echoed.empty();
  remote.echoed.insert(&port);
  if (!is_first || remote.carrier == &port) return;
  remote.carrier = &port;
  remote.quality.suspend();
}

std::uint64_t LinkQualityMonitor::tick(Now now) {
  while (Timed* const due = agenda_.take(now.boot_ns)) {
    Remote& remote = static_cast<Remote&>(*due);
    agenda_.set(remote, std::max(probe(remote, now), now.boot_ns + 1));
  }
  return agenda_.next();
}

std::uint64_t LinkQualityMonitor::probe(Remote& remote, Now now) {
  if (!choose_carrier(remote, now)) {
    remote.quality.suspend();
    return std::min(now.boot_ns + kCarrierRetryNs, check_sessions(remote, now));
  }
  const nsm::Verdict verdict = remote.quality.verdict();
  const std::uint32_t mtu_bytes = remote.quality.mtu_bytes();
  const std::uint64_t next_ns = remote.quality.tick(now.boot_ns, [&](const ProbeMessage& probe) {
    if (remote.quality.doubtful()) change_carrier(remote, now);
    parts_.threads.egress.post(SendProbeMessage{remote.carrier->egress(), probe});
  });
  if (remote.quality.verdict() != verdict) report_verdict(remote, now);
  if (remote.quality.mtu_bytes() != mtu_bytes) {
    use_mtu(remote);
    send_event(kPathMtuChanged, remote);
  }
  return std::min(next_ns, check_sessions(remote, now));
}

// Checks the next session, or goes on with the check; returns when to call again.
std::uint64_t LinkQualityMonitor::check_sessions(Remote& remote, Now now) {
  if (remote.checked && remote.check.result() == SessionCheck::Result::kAsking) {
    const std::uint64_t next_ns =
        remote.check.tick(now.boot_ns, remote.quality.timeout_ns(), [&](const ProbeMessage& probe) {
          parts_.threads.egress.post(SendProbeMessage{remote.checked->egress(), probe});
        });
    if (next_ns != UINT64_MAX) return next_ns;
    const bool is_link_up = remote.quality.verdict() == nsm::Verdict::kUp &&
                            remote.quality.answered_sent_ns() > remote.check.begun_ns();
    WireguardPort& silent = *remote.checked;
    remote.forget_check();
    // The carrier is silent together with the link.
    if (is_link_up && &silent != remote.carrier) silent.peer().forgotten(now);
  }
  if (now.boot_ns < remote.next_check_ns) return remote.next_check_ns;
  remote.next_check_ns = now.boot_ns + kCheckNs;
  WireguardPort* const next = choose_checked(remote, now);
  if (!next) return remote.next_check_ns;
  check(remote, *next, now);
  return now.boot_ns;
}

void LinkQualityMonitor::check(Remote& remote, WireguardPort& port, Now now) noexcept {
  remote.checked = &port;
  remote.check.begin(now.boot_ns);
}

// The next wire in turn, but first one of them whose data is not answered. The carrier needs no check.
WireguardPort* LinkQualityMonitor::choose_checked(Remote& remote, Now now) {
  WireguardPort* chosen = nullptr;
  const std::size_t first = remote.turn;
  const std::size_t count = std::min(remote.ports.size(), kLookedAt);
  for (std::size_t i = 0; i < count; i++) {
    const std::size_t position = (first + i) % remote.ports.size();
    WireguardPort* const port = remote.ports[position];
    if (port == remote.carrier || !works(*port, now)) continue;
    if (!chosen) {
      chosen = port;
      remote.turn = position + 1;
    }
    if (is_unanswered(*port, now)) return port;
  }
  if (!chosen) remote.turn = first + count;
  return chosen;
}

// To another wire whose session works, if there is one. The session of the former carrier is checked.
void LinkQualityMonitor::change_carrier(Remote& remote, Now now) {
  const auto& ports = remote.ports;
  const auto current = std::find(ports.begin(), ports.end(), remote.carrier);
  const auto is_next = [&](WireguardPort* port) { return remote.may_carry(port) && works(*port, now); };
  auto found = std::find_if(std::next(current), ports.end(), is_next);
  if (found == ports.end()) found = std::find_if(ports.begin(), current, is_next);
  if (found == current || found == ports.end()) return;
  if (remote.check.result() != SessionCheck::Result::kAsking) check(remote, *remote.carrier, now);
  remote.carrier = *found;
}

// False: no wire that may carry probes has a session; one of them now asks for it.
bool LinkQualityMonitor::choose_carrier(Remote& remote, Now now) {
  const auto find = [&](bool (*is_wanted)(WireguardPort&, Now)) {
    const auto found = std::find_if(remote.ports.begin(), remote.ports.end(), [&](WireguardPort* port) {
      return remote.may_carry(port) && is_wanted(*port, now);
    });
    return found == remote.ports.end() ? nullptr : *found;
  };
  if (remote.carrier && remote.may_carry(remote.carrier) && works(*remote.carrier, now)) return true;
  WireguardPort* const working = find(works);
  remote.carrier = working ? working : find(is_established);
  if (!remote.carrier) find([](WireguardPort&, Now) { return true; })->peer().want_session(now);
  return remote.carrier != nullptr;
}

void LinkQualityMonitor::report_verdict(const Remote& remote, Now now) const {
  if (remote.quality.verdict() == nsm::Verdict::kUp) {
    send_event(kLinkQualityUp, remote);
    for (WireguardPort* port : remote.ports) {
      if (port->peer().verdict() == nsm::Verdict::kDown) port->peer().rehandshake(now);
    }
    return;
  }
  send_event(kLinkQualityDown, remote);
  // The remote node may have lost its keys. If it has not, a new handshake does no harm.
  remote.carrier->peer().rehandshake(now);
}

void LinkQualityMonitor::send_event(EventKind kind, const Remote& remote) const {
  MessageBuilder event(kEvent, 0, 0);
  event.u8(kEventKind, kind);
  name_remote(remote, event);
  if (kind == kLinkQualityDown) event.text(kText, kNoEcho);
  if (kind == kPathMtuChanged) event.u32(kMtuBytes, remote.quality.mtu_bytes());
  parts_.holder.send(std::move(event).take());
}

void LinkQualityMonitor::name_remote(const Remote& remote, MessageBuilder& message) const {
  message.text(kUnderlay, parts_.underlay);
  describe_peer_address(remote.address, message);
}

void LinkQualityMonitor::describe_remote(const Remote& remote, MessageBuilder& reply) const {
  const LinkQuality& quality = remote.quality;
  name_remote(remote, reply);
  reply.u8(kLinkVerdict, static_cast<std::uint8_t>(quality.verdict())).u32(kMtuBytes, quality.mtu_bytes());
  reply.u32(kRttUs, as_us(quality.rtt_ns())).u32(kJitterUs, as_us(quality.jitter_ns()));
  reply.u32(kLossPpm, quality.loss_ppm());
  reply.u64(kProbesSent, quality.probes()).u64(kProbesLost, quality.lost());
}

}  // namespace nsm::io
