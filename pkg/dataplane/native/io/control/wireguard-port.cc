#include "io/control/wireguard-port.h"

#include <errno.h>

#include "io/clock.h"
#include "io/control/port-fields.h"
#include "io/control/port-kinds.h"
#include "io/control/underlays.h"

namespace nsm::io {
namespace {

using namespace protocol;

std::optional<SecretKey> secret_of(const Fields& fields, std::uint16_t attribute) {
  if (!fields.has(attribute)) return std::nullopt;
  return SecretKey(fields.bytes(attribute).first<kKeyBytes>());
}

Status read_aead(const Fields& fields, AeadAlgorithm& algorithm) {
  algorithm = static_cast<AeadAlgorithm>(fields.u8(kAead).value_or(kChaCha20Poly1305));
  std::string known;
  for (const AeadAlgorithm each : {AeadAlgorithm::kChaCha20Poly1305, AeadAlgorithm::kAes256Gcm}) {
    if (algorithm == each) return {};
    known += (known.empty() ? "" : ", ") + std::string(aead_name(each));
    known += " (" + std::to_string(static_cast<int>(each)) + ")";
  }
  return {EOPNOTSUPP, "the AEAD is unknown; known are " + known};
}

// To be called after read_rules().
Status read_payload(const Fields& fields, InnerRules& rules) {
  const std::uint8_t payload = fields.u8(kPayloadKind).value_or(kIpPayload);
  if (payload != kIpPayload && payload != kEthernetPayload) {
    return {EOPNOTSUPP, "the payload is unknown; known are ip (1), ethernet (2)"};
  }
  rules.payload = static_cast<Payload>(payload);
  if (payload == kIpPayload || rules.local.size() + rules.remote.size() == 0) return {};
  return {EINVAL, "localPrefix and remotePrefix are for payload ip: the addresses in frames are not checked"};
}

bool is_same_secret(const std::optional<SecretKey>& a, const std::optional<SecretKey>& b) noexcept {
  return a && b ? equal_constant_time(*a, *b) : !a && !b;
}

std::unique_ptr<InnerRules> copy_of(const InnerRules& rules) { return std::make_unique<InnerRules>(rules); }

}  // namespace

Status WireguardPort::parse(View attributes, WireguardConfig& config) {
  Fields fields;
  Status status =
      fields.parse(attributes, {kId, kKind, kUnderlay, kPrivateKey, kPeerResponderKey, kPeerInitiatorKey,
                                kPresharedKey, kPeerAddress, kPeerPort, kAead, kRoaming, kLocalPrefix,
                                kRemotePrefix, kKeepaliveSeconds, kMtuBytes, kPayloadKind, kProbeMessages});
  if (status.ok()) status = fields.require({kId, kUnderlay, kPeerResponderKey});
  if (status.ok()) status = read_peer_address(fields, config.peer.endpoint);
  if (status.ok()) status = read_aead(fields, config.peer.algorithm);
  if (status.ok()) status = read_rules(fields, config.rules);
  if (status.ok()) status = read_payload(fields, config.rules);
  if (!status.ok()) return status;
  config.id = fields.text(kId);
  config.underlay = fields.text(kUnderlay);
  config.peer.initiator_private = secret_of(fields, kPrivateKey);
  config.peer.remote_responder = read_key(fields, kPeerResponderKey);
  config.peer.remote_initiator =
      read_key(fields, fields.has(kPeerInitiatorKey) ? kPeerInitiatorKey : kPeerResponderKey);
  config.peer.preshared = secret_of(fields, kPresharedKey).value_or(SecretKey());
  config.peer.roaming = fields.u8(kRoaming).value_or(0) != 0;
  config.peer.keepalive_seconds = fields.u16(kKeepaliveSeconds).value_or(0);
  config.probe_messages = fields.u8(kProbeMessages).value_or(0) != 0;
  return {};
}

WireguardPort::WireguardPort(const WireguardConfig& config, Underlay& underlay)
    : Port(config.id, kWireguard),
      underlay_(underlay),
      node_(*underlay.node()),
      config_(config),
      ingress_(counters_) {
  underlay_.ports++;
  ingress_.hold = &hold_;
  ingress_.tag = config.peer.tag;
  ingress_.underlay = underlay.number();
  ingress_.rules = copy_of(config.rules);
  ingress_.path_mtu = &path_mtu_;
  ingress_.probe_messages.set(config.probe_messages);
  ingress_.endpoint = config.peer.endpoint;
  ingress_.roaming = config.peer.roaming;
  node_.add_port(config.peer.tag, *this);
}

WireguardPort::~WireguardPort() {
  node_.link_quality().leave(*this);
  if (peer_) node_.machine().remove_peer(*peer_);
  node_.remove_port(config_.peer.tag);
  underlay_.parts().node.threads.settle();
  underlay_.ports--;
}

Status WireguardPort::start(SavedPeer* saved, Now now) {
  const auto [peer, result] = node_.machine().add_peer(config_.peer, saved, now);
  if (!peer) return {result == AddPeer::kDuplicateKey ? EEXIST : EINVAL, std::string(explain(result))};
  peer_ = peer;
  const UdpTarget target{underlay_.socket(), Sockaddr(config_.peer.endpoint)};
  egress_ = std::make_unique<WireguardEgress>(
      WireguardEgress::Parts{counters_, peer->activity(), config_.peer.tag, underlay_.parts().waiting_ports,
                             hold_, path_mtu_, target},
      copy_of(config_.rules));
  choose_link(config_.peer.endpoint);
  return {};
}

// These may change in place: endpoint, roaming, keepalive, prefixes, MTU, probe messages.
std::optional<Status> WireguardPort::update(View attributes) {
  WireguardConfig config;
  if (Status status = parse(attributes, config); !status.ok()) return status;
  if (!is_same_peer(config)) return std::nullopt;
  config.peer.tag = config_.peer.tag;
  config_ = config;
  const DataThreads& threads = underlay_.parts().node.threads;
  threads.egress.post(UseEgressRules{egress_.get(), copy_of(config.rules)});
  threads.ingress.post(
      UseIngressRules{&ingress_, copy_of(config.rules), config.peer.roaming, config.probe_messages});
  peer_->set_roaming(config.peer.roaming);
  peer_->set_keepalive(config.peer.keepalive_seconds);
  if (config.peer.endpoint.known()) peer_->set_endpoint(config.peer.endpoint);
  choose_link(peer_->endpoint());
  return Status{};
}

void WireguardPort::choose_link(const SocketAddress& to) {
  LinkQualityMonitor& monitor = node_.link_quality();
  if (config_.probe_messages && to.known()) return monitor.join(*this, to);
  monitor.leave(*this);
  use_path_mtu(kUnmeasured);
}

bool WireguardPort::is_same_peer(const WireguardConfig& config) const noexcept {
  const PeerConfig& now = config_.peer;
  const PeerConfig& then = config.peer;
  return config.underlay == config_.underlay && config.rules.payload == config_.rules.payload &&
         then.remote_responder == now.remote_responder && then.remote_initiator == now.remote_initiator &&
         then.algorithm == now.algorithm && equal_constant_time(then.preshared, now.preshared) &&
         is_same_secret(then.initiator_private, now.initiator_private);
}

Status check_wireguard_port(View attributes) {
  WireguardConfig config;
  return WireguardPort::parse(attributes, config);
}

Status make_wireguard_port(View attributes, Fd, const PortParts& parts, MadePort& made) {
  WireguardConfig config;
  Underlay* underlay = nullptr;
  Status status = WireguardPort::parse(attributes, config);
  if (status.ok())
    status = parts.underlays.find({config.underlay, kUnderlayWireguard, config.peer.endpoint}, underlay);
  if (!status.ok()) return status;
  config.peer.tag = parts.tag;
  auto port = std::make_unique<WireguardPort>(config, *underlay);
  if (status = port->start(parts.state.take(config.id), now()); !status.ok()) return status;
  made = std::move(port);
  return {};
}

void WireguardPort::describe(MessageBuilder& reply) const {
  const Now time = now();
  reply.text(kUnderlay, config_.underlay).u8(kAead, static_cast<std::uint8_t>(config_.peer.algorithm));
  reply.u8(kRoaming, config_.peer.roaming).u32(kMtuBytes, config_.rules.mtu_bytes);
  reply.u8(kPayloadKind, static_cast<std::uint8_t>(config_.rules.payload))
      .u8(kProbeMessages, config_.probe_messages);
  reply.u8(kSessionState, static_cast<std::uint8_t>(peer_->state(time)));
  reply.u8(kSessionVerdict, static_cast<std::uint8_t>(peer_->verdict()));
  if (peer_->verdict() == nsm::Verdict::kDown) reply.text(kText, explain(peer_->loss()));
  describe_peer_address(peer_->endpoint(), reply);
  reply.bytes(kPublicKey, peer_->initiator_public()).u16(kKeepaliveSeconds, config_.peer.keepalive_seconds);
  reply.bytes(kPeerResponderKey, config_.peer.remote_responder)
      .bytes(kPeerInitiatorKey, config_.peer.remote_initiator);
  describe_prefixes(kLocalPrefix, config_.rules.local, reply);
  describe_prefixes(kRemotePrefix, config_.rules.remote, reply);
  if (const auto age = peer_->handshake_age_ns(time)) reply.u64(kHandshakeAgeMs, *age / kNsPerMs);
}

}  // namespace nsm::io
