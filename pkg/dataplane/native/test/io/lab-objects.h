// Messages of the holder for a Lab: underlays, and a port of each kind.
#pragma once

#include "lab.h"

namespace nsm::test {

inline constexpr const char* kWireguardUnderlay = "wg";
inline constexpr const char* kVxlanUnderlay = "vx";

// X25519 keys of the two nodes and their wires, each derived from one number.
inline SecretKey private_key(std::uint8_t number) {
  SecretKey key;
  key.fill(number);
  return key;
}
inline Key public_key(std::uint8_t number) { return X25519Key(private_key(number)).public_key(); }

inline MessageBuilder underlay_attributes(const char* id, protocol::UnderlayKind kind) {
  MessageBuilder message = attributes();
  message.text(protocol::kId, id).u8(protocol::kKind, kind);
  return message;
}

struct WireguardSpec {
  const char* id;
  std::uint8_t node_of_peer;       // the number of the peer node's key
  std::uint8_t initiator_of_peer;  // the number of the peer's initiator key
  std::uint8_t initiator;          // the number of this side's initiator key
  SocketAddress peer{};            // empty: not known
  bool probe_messages = false;
  bool ethernet = false;
  std::uint32_t mtu_bytes = 1420;
};
inline MessageBuilder wireguard_attributes(const WireguardSpec& spec) {
  MessageBuilder message = attributes();
  message.text(protocol::kId, spec.id).u8(protocol::kKind, protocol::kWireguard);
  message.text(protocol::kUnderlay, kWireguardUnderlay);
  message.bytes(protocol::kPrivateKey, private_key(spec.initiator));
  message.bytes(protocol::kPeerResponderKey, public_key(spec.node_of_peer));
  message.bytes(protocol::kPeerInitiatorKey, public_key(spec.initiator_of_peer));
  if (spec.peer.known()) {
    message.bytes(protocol::kPeerAddress, protocol::View(spec.peer.address).first(4));
    message.u16(protocol::kPeerPort, spec.peer.port);
  }
  message.u8(protocol::kProbeMessages, spec.probe_messages).u32(protocol::kMtuBytes, spec.mtu_bytes);
  return message.u8(protocol::kPayloadKind,
                    spec.ethernet ? protocol::kEthernetPayload : protocol::kIpPayload);
}

inline MessageBuilder vxlan_attributes(const char* id, std::uint32_t vni) {
  MessageBuilder message = attributes();
  const std::uint8_t peer[] = {192, 0, 2, 1};
  message.text(protocol::kId, id).u8(protocol::kKind, protocol::kVxlan);
  message.text(protocol::kUnderlay, kVxlanUnderlay).u32(protocol::kVni, vni);
  return message.bytes(protocol::kPeerAddress, peer).u16(protocol::kPeerPort, 4789);
}

inline MessageBuilder device_attributes(const char* id, protocol::PortKind kind,
                                        const char* ifname = "nsm-1") {
  MessageBuilder message = attributes();
  return message.text(protocol::kId, id).u8(protocol::kKind, kind).text(protocol::kIfname, ifname);
}

// Any descriptor will do, because no data thread reads the device.
inline io::Fd some_device() { return io::Fd(eventfd(0, EFD_CLOEXEC)); }

// A lab with an underlay of each kind; its node's key is private_key(node).
struct Node : Lab {
  explicit Node(std::uint8_t node = 1, std::uint64_t seed = 1) : Lab(seed) {
    MessageBuilder wireguard = underlay_attributes(kWireguardUnderlay, protocol::kUnderlayWireguard);
    wireguard.bytes(protocol::kPrivateKey, private_key(node));
    CHECK(underlays->set(Attributes(wireguard), udp_socket()).ok());
    const MessageBuilder vxlan = underlay_attributes(kVxlanUnderlay, protocol::kUnderlayVxlan);
    CHECK(underlays->set(Attributes(vxlan), udp_socket()).ok());
    threads.take();
  }
  protocol::Status set(const MessageBuilder& port, io::Fd device = {}) {
    return ports->set(Attributes(port), std::move(device));
  }
  io::WireguardNode& wireguard() { return *underlays->find(kWireguardUnderlay)->node(); }
};

}  // namespace nsm::test
