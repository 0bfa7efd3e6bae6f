// Ports of every kind: created, repeated, changed, refused and removed.
#include "io/control/ports.h"

#include <errno.h>

#include "lab-objects.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

using protocol::kTap;
using protocol::kTun;
using protocol::Status;

const WireguardSpec kWireguard = {.id = "w", .node_of_peer = 2, .initiator_of_peer = 4, .initiator = 3};

bool is_refused(const Status& status, int error, std::string_view text) {
  if (status.error == error && status.text.find(text) != status.text.npos) return true;
  std::printf("  error %d: %s\n", status.error, status.text.c_str());
  return false;
}

TEST("a port of each kind can be created and is found by its id") {
  Node node;
  CHECK(node.set(device_attributes("tun", kTun), some_device()).ok());
  CHECK(node.set(device_attributes("tap", kTap), some_device()).ok());
  CHECK(node.set(wireguard_attributes(kWireguard)).ok());
  CHECK(node.set(vxlan_attributes("v", 7)).ok());
  int count = 0;
  node.ports->each([&](const io::Port& port) { count += node.ports->find(port.id()) == &port; });
  CHECK(count == 4 && node.ports->find("w")->kind() == protocol::kWireguard && !node.ports->find("none"));
  CHECK(node.threads.take() == std::vector<std::string>{"port added"});
}

TEST("a port is either a device port or a network port") {
  Node node;
  CHECK(node.set(device_attributes("tun", kTun), some_device()).ok() &&
        node.set(vxlan_attributes("v", 7)).ok());
  CHECK(node.set(wireguard_attributes(kWireguard)).ok());
  CHECK(node.ports->find("tun")->device() && !node.ports->find("tun")->network());
  CHECK(!node.ports->find("v")->device() && node.ports->find("v")->network()->device == kTap);
  CHECK(node.ports->find("w")->network()->device == kTun);
}

TEST("setting a port again keeps the object, setting it differently replaces it") {
  Node node;
  CHECK(node.set(device_attributes("tun", kTun), some_device()).ok() &&
        node.set(vxlan_attributes("v", 7)).ok());
  const io::Port* const tun = node.ports->find("tun");
  const io::Port* const vxlan = node.ports->find("v");
  CHECK(node.set(device_attributes("tun", kTun), some_device()).ok() && node.ports->find("tun") == tun);
  CHECK(node.set(vxlan_attributes("v", 7)).ok() && node.ports->find("v") == vxlan);
  node.threads.take();
  CHECK(node.set(vxlan_attributes("v", 8)).ok());
  CHECK(node.threads.take() == std::vector<std::string>({"port removed", "port added"}));
  CHECK(node.set(device_attributes("v", kTap), some_device()).ok() && node.ports->find("v")->kind() == kTap);
}

TEST("the address of a wireguard peer, its MTU and its prefixes change in place") {
  Node node;
  CHECK(node.set(wireguard_attributes(kWireguard)).ok());
  const io::Port* const port = node.ports->find("w");
  WireguardSpec changed = kWireguard;
  changed.peer = address4(0xc0000205, 51820);
  changed.mtu_bytes = 1300;
  MessageBuilder message = wireguard_attributes(changed);
  const std::uint8_t prefix[] = {AF_INET, 32, 10, 0, 0, 1};
  message.bytes(protocol::kLocalPrefix, prefix);
  CHECK(node.set(message).ok() && node.ports->find("w") == port);
  MessageBuilder described = attributes();
  port->describe(described);
  const Reply reply(described);
  CHECK(reply.fields.u32(protocol::kMtuBytes) == 1300u && reply.fields.u16(protocol::kPeerPort) == 51820);
  CHECK(reply.fields.has(protocol::kLocalPrefix));
}

TEST("a port reports only the public part of its private key") {
  Node node;
  CHECK(node.set(wireguard_attributes(kWireguard)).ok());
  MessageBuilder described = attributes();
  node.ports->find("w")->describe(described);
  const Reply reply(described);
  CHECK(!reply.fields.has(protocol::kPrivateKey) && !reply.fields.has(protocol::kPresharedKey));
  CHECK(std::ranges::equal(reply.fields.bytes(protocol::kPublicKey), public_key(3)));
}

TEST("a message that does not describe a port is refused with a reason") {
  Node node;
  const auto refused = [&](const MessageBuilder& message, int error, std::string_view text) {
    return is_refused(node.set(message), error, text);
  };
  CHECK(refused(attributes().text(protocol::kId, "x"), EINVAL, "kind is missing"));
  CHECK(refused(attributes().text(protocol::kId, "x").u8(protocol::kKind, 9), EOPNOTSUPP, "unknown"));
  CHECK(refused(device_attributes("tun", kTun), EBADF, "port tun"));
  CHECK(refused(device_attributes("tun", kTun).u32(protocol::kVni, 7), EOPNOTSUPP, "vni"));
  CHECK(refused(vxlan_attributes("v", 0), EINVAL, "vni"));
  CHECK(refused(vxlan_attributes("v", 1u << 24), EINVAL, "vni"));
  CHECK(refused(wireguard_attributes(kWireguard).u8(protocol::kAead, 9), EOPNOTSUPP, "AES-256-GCM"));
  WireguardSpec tiny = kWireguard;
  tiny.mtu_bytes = 67;
  CHECK(refused(wireguard_attributes(tiny), EINVAL, "mtuBytes"));
  WireguardSpec frames = kWireguard;
  frames.ethernet = true;
  const std::uint8_t prefix[] = {AF_INET, 32, 10, 0, 0, 1};
  CHECK(refused(wireguard_attributes(frames).bytes(protocol::kLocalPrefix, prefix), EINVAL, "localPrefix"));
  const std::uint8_t long_prefix[] = {AF_INET, 33, 10, 0, 0, 1};
  CHECK(
      refused(wireguard_attributes(kWireguard).bytes(protocol::kLocalPrefix, long_prefix), EINVAL, "longer"));
  int count = 0;
  node.ports->each([&](const io::Port&) { count++; });
  CHECK(count == 0 && node.threads.take().empty());
}

TEST("a message that is refused leaves the port of its id as it was, of whatever kind that is") {
  Node node;
  CHECK(node.set(device_attributes("x", kTun), some_device()).ok());
  const io::Port* const port = node.ports->find("x");
  node.threads.take();
  CHECK(is_refused(node.set(vxlan_attributes("x", 0)), EINVAL, "vni"));
  CHECK(is_refused(node.set(vxlan_attributes("x", 7).u8(protocol::kAead, 1)), EOPNOTSUPP, "aead"));
  CHECK(node.ports->find("x") == port && node.threads.take().empty());
}

TEST("a port needs an underlay of its kind and of its peer's address family") {
  Node node;
  MessageBuilder elsewhere = attributes();
  elsewhere.text(protocol::kId, "v").u8(protocol::kKind, protocol::kVxlan).u32(protocol::kVni, 7);
  elsewhere.bytes(protocol::kPeerAddress, std::array<std::uint8_t, 16>{}).u16(protocol::kPeerPort, 4789);
  MessageBuilder wrong_family = elsewhere, absent = elsewhere;
  CHECK(is_refused(node.set(wrong_family.text(protocol::kUnderlay, kVxlanUnderlay)), EAFNOSUPPORT, "family"));
  CHECK(is_refused(node.set(absent.text(protocol::kUnderlay, "none")), ENOENT, "none"));
  const std::uint8_t peer[] = {192, 0, 2, 1};
  MessageBuilder vxlan_on_wireguard = attributes();
  vxlan_on_wireguard.text(protocol::kId, "v").u8(protocol::kKind, protocol::kVxlan).u32(protocol::kVni, 7);
  vxlan_on_wireguard.bytes(protocol::kPeerAddress, peer).u16(protocol::kPeerPort, 4789);
  vxlan_on_wireguard.text(protocol::kUnderlay, kWireguardUnderlay);
  CHECK(is_refused(node.set(vxlan_on_wireguard), EINVAL, "wireguard"));
}

TEST("a VNI belongs to one port, and an initiator key to one peer") {
  Node node;
  CHECK(node.set(vxlan_attributes("v", 7)).ok());
  CHECK(is_refused(node.set(vxlan_attributes("other", 7)), EEXIST, "VNI 7"));
  CHECK(node.set(wireguard_attributes(kWireguard)).ok());
  WireguardSpec twin = kWireguard;
  twin.id = "twin";
  CHECK(is_refused(node.set(wireguard_attributes(twin)), EEXIST, "initiator key"));
  node.ports->remove("v");
  node.ports->remove("w");
  CHECK(node.set(vxlan_attributes("other", 7)).ok() && node.set(wireguard_attributes(twin)).ok());
}

TEST("a removed port is removed from the data threads, and removing it again succeeds") {
  Node node;
  CHECK(node.set(device_attributes("tun", kTun), some_device()).ok() &&
        node.set(vxlan_attributes("v", 7)).ok());
  node.threads.take();
  node.ports->remove("tun");
  node.ports->remove("v");
  node.ports->remove("v");
  CHECK(node.threads.take() == std::vector<std::string>({"device forgotten", "port removed"}));
}

}  // namespace
}  // namespace nsm::test
