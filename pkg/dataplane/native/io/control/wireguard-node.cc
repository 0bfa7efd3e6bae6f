#include "io/control/wireguard-node.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>

#include "io/control/port-fields.h"
#include "io/control/wireguard-port.h"

namespace nsm::io {
namespace {

using namespace protocol;

constexpr int kFullSocketMs = 50;  // how long to wait for a full socket; timers repeat what is lost

protocol::Bytes event_of(EventKind kind, const WireguardPort& port, std::string_view text = {}) {
  MessageBuilder event(kEvent, 0, 0);
  event.u8(kEventKind, kind).text(kId, port.id());
  if (!text.empty()) event.text(kText, text);
  return std::move(event).take();
}

}  // namespace

WireguardNode::WireguardNode(const SecretKey& key, const Place& place, const Parts& parts)
    : socket_(place.socket),
      key_(key),
      opener_(parts.opener),
      threads_(parts.threads),
      holder_(parts.holder),
      link_quality_({place.id, parts.threads, parts.holder}),
      machine_(key, {parts.suite, parts.random, parts.indexes, *this}) {}

void WireguardNode::on_note(const Note& note, Now now) {
  if (const auto* handshake = std::get_if<HandshakeNote>(&note.what)) {
    handled_[static_cast<std::size_t>(machine_.receive(handshake->datagram(), handshake->from, now))]++;
  } else if (const auto* confirm = std::get_if<ConfirmNote>(&note.what)) {
    machine_.confirm(confirm->local_index, confirm->from, now);
    if (const auto found = ports_.find(confirm->port); found != ports_.end()) {
      threads_.egress.post(ResumeEgress{found->second->egress()});
    }
  } else if (const auto* moved = std::get_if<MovedNote>(&note.what)) {
    if (const auto found = ports_.find(moved->port); found != ports_.end())
      found->second->peer().roam(moved->from);
  } else if (const auto* probe = std::get_if<ProbeNote>(&note.what)) {
    if (const auto found = ports_.find(probe->port); found != ports_.end())
      link_quality_.on_message(*found->second, probe->message, now);
  }
}

std::uint64_t WireguardNode::tick(Now now) {
  const std::uint64_t next_ns = link_quality_.tick(now);  // first, because it may ask for a session
  return std::min(next_ns, machine_.tick(now));
}

void WireguardNode::want_session(std::uint64_t tag, Now now) noexcept {
  const auto found = ports_.find(tag);
  if (found == ports_.end()) return;
  Peer& peer = found->second->peer();
  // The port may have got a key since it was added to the waiting ports.
  if (peer.state(now) != nsm::SessionState::kEstablished) peer.want_session(now);
}

// It is not known which ports are waiting: all that have no session ask for one.
void WireguardNode::want_all_sessions(Now now) noexcept {
  for (const auto& [tag, port] : ports_) want_session(tag, now);
}

void WireguardNode::resume(Now now) noexcept {
  for (const auto& [tag, port] : ports_) {
    if (port->peer().state(now) == nsm::SessionState::kReceiveOnly) port->peer().rehandshake(now);
  }
}

void WireguardNode::send(const SocketAddress& to, ConstBytes datagram) noexcept {
  const Sockaddr address(to);
  const auto attempt = [&] {
    return sendto(socket_, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL, &address.any,
                  address.size());
  };
  if (attempt() >= 0 || errno != EAGAIN) return;
  pollfd writable{socket_, POLLOUT, 0};
  if (poll(&writable, 1, kFullSocketMs) == 1) attempt();
}

// Settled before the message is sent that makes the peer use the key.
void WireguardNode::install_receive(Peer& peer, std::unique_ptr<ReceiveKey> key) noexcept {
  WireguardIngress& ingress = port_of(peer).ingress();
  // INVARIANT: set before the first key is installed; from then on the ingress thread reads it.
  if (!ingress.activity) ingress.activity = &peer.activity();
  threads_.ingress.post(UseReceiveKey{&opener_, &ingress, std::move(key)});
  threads_.ingress.settle();
}

// Settled before the counter's place in the saved state is reused for another key.
void WireguardNode::drop_receive(Peer&, std::uint32_t local_index) noexcept {
  threads_.ingress.post(DropReceiveKey{&opener_, local_index});
  threads_.ingress.settle();
}

void WireguardNode::install_send(Peer& peer, std::unique_ptr<SendKey> key) noexcept {
  threads_.egress.post(UseSendKey{port_of(peer).egress(), std::move(key)});
}

void WireguardNode::drop_send(Peer& peer) noexcept {
  threads_.egress.post(UseSendKey{port_of(peer).egress(), nullptr});
}

void WireguardNode::send_keepalive(Peer& peer) noexcept {
  threads_.egress.post(SendKeepalive{port_of(peer).egress()});
}

void WireguardNode::endpoint_moved(Peer& peer, const SocketAddress& to) noexcept {
  WireguardPort& port = port_of(peer);
  threads_.egress.post(MoveEgress{port.egress(), to});
  threads_.ingress.post(MoveIngress{&port.ingress(), to});
  MessageBuilder event(kEvent, 0, 0);
  event.u8(kEventKind, kPeerMoved).text(kId, port.id());
  describe_peer_address(to, event);
  holder_.send(std::move(event).take());
  port.choose_link(to);
}

void WireguardNode::session_up(Peer& peer) noexcept { holder_.send(event_of(kSessionUp, port_of(peer))); }

void WireguardNode::session_down(Peer& peer) noexcept {
  holder_.send(event_of(kSessionDown, port_of(peer), explain(peer.loss())));
}

void WireguardNode::handshake_given_up(Peer& peer) noexcept {
  threads_.egress.post(DropWaiting{port_of(peer).egress()});
}

}  // namespace nsm::io
