#include "io/control/paths.h"

#include <algorithm>

#include "io/control/port-fields.h"
#include "io/control/wireguard-port.h"

namespace nsm::io {
namespace {

using namespace protocol;

constexpr std::uint64_t kWantSessionNs = 200 * kNsPerMs;  // between looks for a carrier
constexpr const char* kNoEcho = "probes through the tunnel get no answer";

bool is_established(WireguardPort& port, Now now) {
  return port.peer().state(now) == nsm::SessionState::kEstablished;
}

std::uint32_t as_us(std::uint64_t ns) noexcept {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ns / 1000, UINT32_MAX));
}

}  // namespace

void Paths::join(WireguardPort& port, const Endpoint& to) {
  const auto known = by_port_.find(&port);
  if (known != by_port_.end() && known->second->to != to) leave(port);
  Shared& shared = by_endpoint_.try_emplace(to, to, port.agreed_bytes()).first->second;
  if (by_port_.emplace(&port, &shared).second) shared.ports.push_back(&port);
  // Wanting more leaves the others as they are: none has longer packets than it was told.
  shared.path.want_mtu(port.agreed_bytes());
  port.use_path_mtu(shared.path.mtu_bytes());
  agenda_.set(shared, 0);
}

void Paths::leave(WireguardPort& port) noexcept {
  const auto found = by_port_.find(&port);
  if (found == by_port_.end()) return;
  Shared& shared = *found->second;
  by_port_.erase(found);
  std::erase(shared.ports, &port);
  if (shared.carrier == &port) shared.carrier = nullptr;
  if (!shared.ports.empty()) return;
  agenda_.set(shared, UINT64_MAX);
  const Endpoint to = shared.to;  // a copy: it goes with its entry
  by_endpoint_.erase(to);
}

void Paths::use_mtu(const Shared& shared) noexcept {
  for (WireguardPort* port : shared.ports) port->use_path_mtu(shared.path.mtu_bytes());
}

void Paths::on_message(WireguardPort& port, const PathMessage& message, Now now) {
  const auto found = by_port_.find(&port);
  if (found == by_port_.end()) return;
  if (message.kind == PathKind::kProbe) {
    PathMessage echo = message;
    echo.kind = PathKind::kEcho;
    return parts_.threads.egress.post(SendPathMessage{port.egress(), echo});
  }
  Shared& shared = *found->second;
  const nsm::PathState before = shared.path.state();
  shared.path.echoed(message, now.boot_ns);
  if (shared.path.state() != before) tell_state(shared, now);
}

std::uint64_t Paths::tick(Now now) {
  while (Timed* const due = agenda_.take(now.boot_ns)) {
    Shared& shared = static_cast<Shared&>(*due);
    agenda_.set(shared, std::max(probe(shared, now), now.boot_ns + 1));
  }
  return agenda_.next();
}

std::uint64_t Paths::probe(Shared& shared, Now now) {
  if (!choose_carrier(shared, now)) {
    shared.path.pause();
    return now.boot_ns + kWantSessionNs;
  }
  const nsm::PathState state = shared.path.state();
  const std::uint32_t mtu_bytes = shared.path.mtu_bytes();
  const std::uint64_t next_ns = shared.path.tick(now.boot_ns, [&](const PathMessage& probe) {
    parts_.threads.egress.post(SendPathMessage{shared.carrier->egress(), probe});
  });
  if (shared.path.state() != state) tell_state(shared, now);
  if (shared.path.mtu_bytes() != mtu_bytes) {
    use_mtu(shared);
    tell(kPathMtuChanged, shared);
  }
  return next_ns;
}

// False: none of the wires has a session, and one has asked for it.
bool Paths::choose_carrier(Shared& shared, Now now) {
  if (shared.carrier && is_established(*shared.carrier, now)) return true;
  const auto found = std::find_if(shared.ports.begin(), shared.ports.end(),
                                  [&](WireguardPort* port) { return is_established(*port, now); });
  shared.carrier = found == shared.ports.end() ? nullptr : *found;
  if (!shared.carrier) shared.ports.front()->peer().want_session(now);
  return shared.carrier != nullptr;
}

void Paths::tell_state(const Shared& shared, Now now) const {
  if (shared.path.state() == nsm::PathState::kUp) return tell(kPathUp, shared);
  tell(kPathDown, shared);
  // The other side may have lost its keys; if not, nothing is lost by asking.
  shared.carrier->peer().rehandshake(now);
}

void Paths::tell(EventKind kind, const Shared& shared) const {
  MessageBuilder event(kEvent, 0, 0);
  event.u8(kEventKind, kind);
  name_path(shared, event);
  if (kind == kPathDown) event.text(kText, kNoEcho);
  if (kind == kPathMtuChanged) event.u32(kMtuBytes, shared.path.mtu_bytes());
  parts_.holder.send(std::move(event).take());
}

void Paths::name_path(const Shared& shared, MessageBuilder& message) const {
  message.text(kUnderlay, parts_.underlay);
  describe_endpoint(shared.to, message);
}

void Paths::describe_path(const Shared& shared, MessageBuilder& reply) const {
  const Path& path = shared.path;
  name_path(shared, reply);
  reply.u8(kPathState, static_cast<std::uint8_t>(path.state())).u32(kMtuBytes, path.mtu_bytes());
  reply.u32(kPathRttUs, as_us(path.rtt_ns())).u32(kPathJitterUs, as_us(path.jitter_ns()));
  reply.u32(kPathLossPpm, path.loss_ppm());
  reply.u64(kPathProbes, path.probes()).u64(kPathLost, path.lost());
}

}  // namespace nsm::io
