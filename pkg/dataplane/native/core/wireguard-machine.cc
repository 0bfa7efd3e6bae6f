#include "wireguard-machine.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "cookie.h"
#include "index-table.h"
#include "messages.h"
#include "rate-limiter.h"

namespace nsm {
namespace {

// A deadline that is far away may be met up to 134 ms late, together with others, so
// that thousands of idle peers share wake-ups.
constexpr std::uint64_t kFarNs = 5 * kNsPerSecond;
constexpr std::uint64_t kCoalesceNs = 1ull << 27;

constexpr std::uint64_t kUnderLoadNs = kNsPerSecond;  // after the queue was last reported full

std::uint64_t coalesce(std::uint64_t due_ns, std::uint64_t now_ns) noexcept {
  return due_ns < now_ns + kFarNs ? due_ns : due_ns | (kCoalesceNs - 1);
}

struct HashKey {  // public keys are random, so any part of them is a hash
  std::size_t operator()(const Key& key) const noexcept { return load_le<std::uint64_t>(key.data()); }
};

}  // namespace

std::string_view counter_name(Handled handled) noexcept {
  static constexpr std::array<std::string_view, kHandledKinds> kNames = {
      "handshake_accepted",    "handshake_malformed",     "handshake_bad_mac1",     "handshake_rate_limited",
      "handshake_cookie_sent", "handshake_unknown_index", "handshake_unknown_peer", "handshake_not_authentic",
      "handshake_replayed",    "handshake_too_frequent"};
  return kNames[static_cast<std::size_t>(handled)];
}

std::string_view explain(AddPeer result) noexcept {
  switch (result) {
    case AddPeer::kAdded:
      return "the peer was added";
    case AddPeer::kDuplicateKey:
      return "another port of this underlay has the same peer initiator key: give every wire its own";
    case AddPeer::kBadKey:
      return "no secret can be agreed with this peer key: it has low order or is this node's own";
  }
  return {};
}

struct WireguardMachine::State {
  State(const SecretKey& private_key, MachineParts with)
      : parts(with),
        key(private_key),
        filter(key.public_key()),
        cookies(with.suite.preferred(), with.random),
        limiter(with.random),
        indexes(with.indexes) {}

  Handled receive_initiation(const Initiation& message, const Arrival& arrival) noexcept;
  Handled receive_response(const Response& message, const Arrival& arrival) noexcept;
  // Absent: the message may be processed. `owner`: the static key that the message was made for.
  std::optional<Handled> shed_load(ConstBytes message, const Key& owner, const Arrival& arrival) noexcept;

  MachineParts parts;
  X25519Key key;
  Mac1Filter filter;
  CookieMaker cookies;
  RateLimiter limiter;
  IndexTable indexes;
  Agenda agenda;                                                  // outlives the peers
  std::unordered_map<Key, std::unique_ptr<Peer>, HashKey> peers;  // by their initiator key
  std::uint64_t load_until_ns = 0;
};

WireguardMachine::WireguardMachine(const SecretKey& private_key, MachineParts parts)
    : state_(std::make_unique<State>(private_key, parts)) {}
WireguardMachine::~WireguardMachine() = default;

const Key& WireguardMachine::public_key() const noexcept { return state_->key.public_key(); }

WireguardMachine::Added WireguardMachine::add_peer(const PeerConfig& config, SavedPeer* saved, Now now) {
  State& s = *state_;
  if (s.peers.contains(config.remote_initiator)) return {nullptr, AddPeer::kDuplicateKey};
  auto peer = std::make_unique<Peer>(config, PeerPlace{s.parts, s.key, s.indexes, s.agenda, saved});
  const bool own =
      config.remote_initiator == s.key.public_key() || config.remote_responder == s.key.public_key();
  if (own || !peer->agree_static_keys()) return {nullptr, AddPeer::kBadKey};
  Peer& added = *peer;
  s.peers.emplace(config.remote_initiator, std::move(peer));
  added.restore(now);
  return {&added, AddPeer::kAdded};
}

void WireguardMachine::remove_peer(Peer& peer) noexcept {
  peer.shut_down();
  const Key key = peer.remote_initiator();  // a copy: the peer is destroyed with its entry
  state_->peers.erase(key);
}

Handled WireguardMachine::receive(ConstBytes datagram, const SocketAddress& from, Now now) noexcept {
  if (const auto initiation = read_message<Initiation>(datagram))
    return state_->receive_initiation(*initiation, {from, now});
  if (const auto response = read_message<Response>(datagram))
    return state_->receive_response(*response, {from, now});
  const auto reply = read_message<CookieReply>(datagram);
  if (!reply) return Handled::kMalformed;
  Peer* const peer = state_->indexes.find(index_of(reply->receiver));
  return peer == nullptr ? Handled::kUnknownIndex : peer->consume_cookie(*reply, now);
}

Handled WireguardMachine::State::receive_initiation(const Initiation& message,
                                                    const Arrival& arrival) noexcept {
  const ConstBytes bytes = bytes_of(message);
  if (!filter.passes(bytes)) return Handled::kBadMac1;
  if (const auto shed = shed_load(bytes, key.public_key(), arrival)) return *shed;
  NoiseHandshake noise(parts.suite.preferred(), key.public_key());
  Key initiator;
  if (!noise.read_first_static(key, {message.ephemeral, message.initiator_static}, initiator))
    return Handled::kNotAuthentic;
  const auto found = peers.find(initiator);
  if (found == peers.end()) return Handled::kUnknownPeer;
  return found->second->consume_initiation(noise, message, arrival);
}

// The index is looked up first, because it says which of our keys the response is for.
Handled WireguardMachine::State::receive_response(const Response& message, const Arrival& arrival) noexcept {
  Peer* const peer = indexes.find(index_of(message.receiver));
  if (peer == nullptr) return Handled::kUnknownIndex;
  const ConstBytes bytes = bytes_of(message);
  const Key& owner = peer->initiator_public();
  if (!mac1_valid(mac1_key(owner), bytes)) return Handled::kBadMac1;
  if (const auto shed = shed_load(bytes, owner, arrival)) return *shed;
  return peer->consume_response(message, arrival);
}

std::optional<Handled> WireguardMachine::State::shed_load(ConstBytes message, const Key& owner,
                                                          const Arrival& arrival) noexcept {
  const auto& [from, now] = arrival;
  if (now.boot_ns >= load_until_ns) return std::nullopt;
  if (cookies.mac2_valid(message, from, now)) {
    if (limiter.allow(from, now.boot_ns)) return std::nullopt;
    return Handled::kRateLimited;
  }
  const CookieReply reply = cookies.reply(message, owner, cookies.cookie(from, now));
  parts.decisions.send(from, bytes_of(reply));
  return Handled::kCookieSent;
}

void WireguardMachine::confirm(std::uint32_t local_index, const SocketAddress& from, Now now) noexcept {
  if (Peer* const peer = state_->indexes.find(local_index)) peer->confirm(local_index, from, now);
}

std::uint64_t WireguardMachine::tick(Now now) noexcept {
  Agenda& agenda = state_->agenda;
  while (Timed* const due = agenda.take(now.boot_ns)) {
    Peer& peer = static_cast<Peer&>(*due);
    agenda.set(peer, coalesce(std::max(peer.tick(now), now.boot_ns + 1), now.boot_ns));
  }
  return agenda.next();
}

void WireguardMachine::under_load(Now now) noexcept { state_->load_until_ns = now.boot_ns + kUnderLoadNs; }

Mac1Filter::Mac1Filter(const Key& node_public) noexcept : mac1_key_(mac1_key(node_public)) {}

bool Mac1Filter::passes(ConstBytes initiation) const noexcept {
  return initiation.size() == sizeof(Initiation) && mac1_valid(mac1_key_, initiation);
}

}  // namespace nsm
