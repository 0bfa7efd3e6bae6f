// The handshake messages of a peer, in both directions.
#include "peer.h"

namespace nsm {
namespace {

SecretKey random_key(Random& random) noexcept {
  SecretKey key;
  random.fill(key);
  return key;
}

std::uint64_t jitter_ns(Random& random) noexcept {
  std::uint32_t value = 0;
  random.fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
  return value % kRekeyJitterMaxNs;
}

}  // namespace

void Peer::initiate(Now now) noexcept {
  if (first_attempt_ns_ == 0) first_attempt_ns_ = now.boot_ns;
  if (!config_.endpoint.known()) return parts_.decisions.handshake_given_up(*this);
  attempt_since_ns_ = now.boot_ns;
  send_initiation(now);
}

void Peer::send_initiation(Now now) noexcept {
  abandon_handshake();
  outgoing_.emplace(Outgoing{indexes_.allocate(*this), X25519Key(random_key(parts_.random)),
                             NoiseHandshake(aead(), config_.remote_responder)});
  sent_timestamp_ = later_than(sent_timestamp_, tai64n(now.realtime_ns));
  if (saved_ != nullptr) saved_->sent.write(sent_timestamp_);

  auto message = make_message<Initiation>();
  store_le(message.sender.data(), outgoing_->local_index);
  const NoiseHandshake::FirstKeys keys = {outgoing_->ephemeral, initiator_key(), initiating_static_,
                                          config_.remote_responder};
  // Cannot fail: add_peer() has refused static keys of low order, and a random ephemeral
  // key agrees with any other.
  outgoing_->noise.write_first(keys, sent_timestamp_,
                               {message.ephemeral, message.initiator_static, message.timestamp});
  initiation_stamper_.stamp(bytes_of(message), now);
  initiation_sent_ns_ = now.boot_ns;
  retry_at_ns_ = now.boot_ns + kRekeyTimeoutNs + jitter_ns(parts_.random);
  touch();
  activity_.sent(now.boot_ns, false);
  parts_.decisions.send(config_.endpoint, bytes_of(message));
}

void Peer::abandon_handshake() noexcept {
  if (!outgoing_) return;
  indexes_.release(outgoing_->local_index);
  outgoing_.reset();
}

Handled Peer::consume_initiation(NoiseHandshake& noise, const Initiation& message,
                                 const Arrival& arrival) noexcept {
  const Now now = arrival.now;
  Timestamp stamp;
  if (!noise.read_first_payload(answering_static_, message.timestamp, stamp)) return Handled::kNotAuthentic;
  if (stamp <= received_timestamp_) return Handled::kReplayed;
  if (answered_ns_ != 0 && now.boot_ns - answered_ns_ < kInitiationSpacingNs) return Handled::kTooFrequent;
  // Crash: saved before we respond, so that a restarted engine does not respond again.
  received_timestamp_ = stamp;
  if (saved_ != nullptr) saved_->received.write(stamp);
  answered_ns_ = now.boot_ns;
  activity_.received(now.boot_ns, false);
  send_response(noise, message, arrival);
  return Handled::kAccepted;
}

// The endpoint does not move here. Until the initiator uses the new session, this may be
// an old initiation that an attacker has withheld and replays now.
void Peer::send_response(NoiseHandshake& noise, const Initiation& message, const Arrival& arrival) noexcept {
  const Now now = arrival.now;
  auto response = make_message<Response>();
  const X25519Key ephemeral(random_key(parts_.random));
  const NoiseHandshake::SecondKeys keys = {ephemeral, message.ephemeral, config_.remote_initiator,
                                           config_.preshared};
  if (!noise.write_second(keys, {}, response.nothing)) return;  // an ephemeral key of low order
  const TransportKeys transport = noise.split();
  const std::uint32_t local_index = indexes_.allocate(*this);
  start_session({local_index, index_of(message.sender), false, transport.responder_to_initiator,
                 transport.initiator_to_responder},
                now);
  store_le(response.sender.data(), local_index);
  response.receiver = message.sender;
  response.ephemeral = ephemeral.public_key();
  response_stamper_.stamp(bytes_of(response), now);
  activity_.sent(now.boot_ns, false);
  const bool pinned = !config_.roaming && config_.endpoint.known();
  parts_.decisions.send(pinned ? config_.endpoint : arrival.from, bytes_of(response));
}

Handled Peer::consume_response(const Response& message, const Arrival& arrival) noexcept {
  const Now now = arrival.now;
  if (!outgoing_ || index_of(message.receiver) != outgoing_->local_index) return Handled::kUnknownIndex;
  NoiseHandshake noise = outgoing_->noise;  // a copy, because a forged response must not spoil the transcript
  const NoiseHandshake::SecondIn keys = {outgoing_->ephemeral, initiator_key(), message.ephemeral,
                                         config_.preshared};
  if (!noise.read_second(keys, message.nothing, {})) return Handled::kNotAuthentic;
  const TransportKeys transport = noise.split();
  const std::uint32_t local_index = outgoing_->local_index;
  outgoing_.reset();  // the session keeps its index
  roam(arrival.from);
  activity_.received(now.boot_ns, false);
  start_session({local_index, index_of(message.sender), true, transport.initiator_to_responder,
                 transport.responder_to_initiator},
                now);
  established(now);
  parts_.decisions.send_keepalive(*this);  // the responder may not send until it has heard from us
  return Handled::kAccepted;
}

Handled Peer::consume_cookie(const CookieReply& reply, Now now) noexcept {
  const bool to_initiation = outgoing_ && index_of(reply.receiver) == outgoing_->local_index;
  if (!to_initiation)
    return response_stamper_.consume(reply, now) ? Handled::kAccepted : Handled::kNotAuthentic;
  if (!initiation_stamper_.consume(reply, now)) return Handled::kNotAuthentic;
  // The responder has done no work yet, so we need not wait for the retry timer. Each
  // initiation consumes at most one cookie reply, so this cannot loop faster than
  // kInitiationSpacingNs.
  if (now.boot_ns - initiation_sent_ns_ >= kInitiationSpacingNs)
    send_initiation(now);
  else
    retry_at_ns_ = initiation_sent_ns_ + kInitiationSpacingNs;
  touch();
  return Handled::kAccepted;
}

}  // namespace nsm
