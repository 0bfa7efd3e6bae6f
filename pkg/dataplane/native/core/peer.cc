#include "peer.h"

namespace nsm {

std::string_view explain(SessionLoss why) noexcept {
  switch (why) {
    case SessionLoss::kNeverAnswered:
      return "no handshake has been answered yet";
    case SessionLoss::kSilent:
      return "the peer has not answered for 15 s";
    case SessionLoss::kForgotten:
      return "the far node does not know this wire";
  }
  return {};
}

Peer::Peer(const PeerConfig& config, const PeerPlace& place)
    : config_(config),
      parts_(place.parts),
      node_key_(place.node_key),
      indexes_(place.indexes),
      agenda_(place.agenda),
      saved_(place.saved),
      initiation_stamper_(aead(), config.remote_responder),
      response_stamper_(aead(), config.remote_initiator),
      sessions_(place.saved) {
  if (config.initiator_private) own_key_.emplace(*config.initiator_private);
  if (saved_ == nullptr) return;
  sent_timestamp_ = saved_->sent.read();
  received_timestamp_ = saved_->received.read();
}

Peer::~Peer() {
  abandon_handshake();
  agenda_.set(*this, UINT64_MAX);
}

bool Peer::agree_static_keys() noexcept {
  return initiator_key().agree(config_.remote_responder, initiating_static_) &&
         node_key_.agree(config_.remote_initiator, answering_static_);
}

SessionState Peer::state(Now now) const noexcept {
  if (can_send(now)) return SessionState::kEstablished;
  if (sessions_.any()) return SessionState::kReceiveOnly;
  return outgoing_ ? SessionState::kHandshaking : SessionState::kIdle;
}

std::optional<std::uint64_t> Peer::handshake_age_ns(Now now) const noexcept {
  if (handshake_ns_ == 0) return std::nullopt;
  return now.boot_ns - handshake_ns_;
}

void Peer::want_session(Now now) noexcept {
  if (!outgoing_) initiate(now);
}

void Peer::rehandshake(Now now) noexcept {
  // The one that was just sent is as good, and another one would count as a flood.
  if (outgoing_ && now.boot_ns - initiation_sent_ns_ < kInitiationSpacingNs) return;
  abandon_handshake();
  initiate(now);
}

void Peer::forgotten(Now now) noexcept {
  went_down(SessionLoss::kForgotten, now);
  rehandshake(now);
}

void Peer::roam(const SocketAddress& from) noexcept {
  if (config_.roaming || !config_.endpoint.known()) set_endpoint(from);
}

void Peer::set_endpoint(const SocketAddress& to) noexcept {
  if (to == config_.endpoint) return;
  config_.endpoint = to;
  touch();
  parts_.decisions.endpoint_moved(*this, to);
}

void Peer::set_keepalive(std::uint16_t seconds) noexcept {
  config_.keepalive_seconds = seconds;
  touch();
}

void Peer::shut_down() noexcept {
  abandon_handshake();
  for (Session& session : sessions_.all())
    if (!session.empty()) drop_session(session);
}

}  // namespace nsm
