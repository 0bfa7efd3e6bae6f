// Underlays: the node's sockets, by kind, and setting them again.
#include "io/control/underlay.h"

#include <errno.h>

#include "lab-objects.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

using protocol::Status;

MessageBuilder wireguard(std::uint8_t key = 1) {
  MessageBuilder message = underlay_attributes("u", protocol::kUnderlayWireguard);
  return message.bytes(protocol::kPrivateKey, private_key(key));
}

TEST("an underlay has a kind, an address and a number, and its socket is polled") {
  Lab lab;
  io::Fd socket = udp_socket();
  const SocketAddress address = bound_address(socket);
  CHECK(lab.underlays->set(Attributes(wireguard()), std::move(socket)).ok());
  io::Underlay* const underlay = lab.underlays->find("u");
  CHECK(underlay->kind() == protocol::kUnderlayWireguard && underlay->family() == 4);
  CHECK(lab.underlays->find(underlay->number()) == underlay && !lab.underlays->find("none"));
  CHECK(lab.threads.take() == std::vector<std::string>{"socket read"});
  MessageBuilder described = attributes();
  underlay->describe(described);
  const Reply reply(described);
  CHECK(reply.fields.u16(protocol::kUdpPort) == address.port);
  CHECK(reply.fields.u8(protocol::kKind) == protocol::kUnderlayWireguard);
  CHECK(reply.fields.bytes(protocol::kPublicKey).size() == kKeyBytes);
  CHECK(!reply.fields.has(protocol::kPrivateKey));
}

TEST("setting the same underlay again keeps the object and needs no socket") {
  Lab lab;
  CHECK(lab.underlays->set(Attributes(wireguard()), udp_socket()).ok());
  const io::Underlay* const underlay = lab.underlays->find("u");
  CHECK(lab.underlays->set(Attributes(wireguard()), {}).ok() && lab.underlays->find("u") == underlay);
}

TEST("an underlay moves to another address with its ports: the data threads keep its number and descriptor") {
  Lab lab;
  CHECK(lab.underlays->set(Attributes(wireguard()), udp_socket()).ok());
  io::Underlay* const underlay = lab.underlays->find("u");
  const auto [number, descriptor] = std::pair(underlay->number(), underlay->socket());
  underlay->ports++;
  MessageBuilder moved = wireguard();
  moved.u16(protocol::kUdpPort, 7);
  CHECK(lab.underlays->set(Attributes(moved), {}).error == EBADF);
  io::Fd socket = udp_socket();
  const SocketAddress address = bound_address(socket);
  lab.threads.take();
  CHECK(lab.underlays->set(Attributes(moved), std::move(socket)).ok());
  CHECK(lab.threads.take() == std::vector<std::string>({"socket forgotten", "socket read"}));
  CHECK(lab.underlays->find("u") == underlay && underlay->number() == number && underlay->ports == 1);
  CHECK(underlay->socket() == descriptor && io::local_address(descriptor) == address);
  CHECK(lab.underlays->set(Attributes(moved), {}).ok());
  underlay->ports--;
}

TEST("a different key or kind replaces the underlay, unless ports use it") {
  Lab lab;
  CHECK(lab.underlays->set(Attributes(wireguard()), udp_socket()).ok());
  const std::uint32_t number = lab.underlays->find("u")->number();
  CHECK(lab.underlays->set(Attributes(wireguard(2)), udp_socket()).ok());
  CHECK(lab.underlays->find("u")->number() != number && !lab.underlays->find(number));
  lab.underlays->find("u")->ports++;
  const Status status = lab.underlays->set(Attributes(wireguard(3)), udp_socket());
  CHECK(status.error == EBUSY && lab.underlays->remove("u").error == EBUSY);
  lab.underlays->find("u")->ports--;
  const MessageBuilder vxlan = underlay_attributes("u", protocol::kUnderlayVxlan);
  CHECK(lab.underlays->set(Attributes(vxlan), udp_socket()).ok());
  CHECK(lab.underlays->find("u")->kind() == protocol::kUnderlayVxlan);
  int nodes = 0;
  lab.underlays->each_node([&](io::WireguardNode&) { nodes++; });
  CHECK(nodes == 0);
}

TEST("a removed underlay is no longer polled, and removing it again succeeds") {
  Lab lab;
  CHECK(lab.underlays->set(Attributes(wireguard()), udp_socket()).ok());
  CHECK(lab.underlays->remove("u").ok() && lab.underlays->remove("u").ok() && !lab.underlays->find("u"));
  CHECK(lab.threads.take() == std::vector<std::string>({"socket read", "socket forgotten"}));
}

TEST("an underlay without a socket, a kind or a key is refused") {
  Lab lab;
  CHECK(lab.underlays->set(Attributes(wireguard()), {}).error == EBADF);
  const MessageBuilder keyless = underlay_attributes("u", protocol::kUnderlayWireguard);
  CHECK(lab.underlays->set(Attributes(keyless), udp_socket()).error == EINVAL);
  MessageBuilder unknown = attributes();
  unknown.text(protocol::kId, "u").u8(protocol::kKind, 9);
  CHECK(lab.underlays->set(Attributes(unknown), udp_socket()).error == EOPNOTSUPP);
  CHECK(!lab.underlays->find("u") && lab.threads.take().empty());
}

TEST("datagrams are sent without DF, and ICMP does not lower their path MTU") {
  Lab lab;
  CHECK(lab.underlays->set(Attributes(wireguard()), udp_socket()).ok());
  int discovery = -1;
  socklen_t length = sizeof discovery;
  getsockopt(lab.underlays->find("u")->socket(), IPPROTO_IP, IP_MTU_DISCOVER, &discovery, &length);
  CHECK(discovery == IP_PMTUDISC_OMIT);
}

}  // namespace
}  // namespace nsm::test
