#include "io/control/underlay.h"

#include <errno.h>
#include <netinet/udp.h>

#include "io/sockaddr.h"

namespace nsm::io {
namespace {

using namespace protocol;

void set_option(const Fd& socket, int level, int name, int value) noexcept {
  setsockopt(socket.get(), level, name, &value, sizeof value);
}

SecretKey secret_of(View bytes) noexcept { return SecretKey(bytes.first<kKeyBytes>()); }

}  // namespace

Status Underlay::parse(View attributes, Fields& fields) {
  Status status = fields.parse(attributes, {kId, kKind, kFamily, kAddress, kUdpPort, kPrivateKey});
  if (status.ok()) status = fields.require({kId, kKind});
  if (!status.ok()) return status;
  switch (*fields.u8(kKind)) {
    case kUnderlayWireguard:
      return fields.require({kPrivateKey});
    case kUnderlayVxlan:
      return {};
  }
  return {EOPNOTSUPP, "the underlay kind is unknown; known are wireguard (1), vxlan (2)"};
}

Underlay::Underlay(const Fields& fields, Fd socket, std::uint32_t number, const Parts& parts)
    : id_(fields.text(kId)),
      parts_(parts),
      socket_(std::move(socket)),
      local_(local_address(socket_.get())),
      asked_port_(fields.u16(kUdpPort).value_or(0)),
      kind_(static_cast<UnderlayKind>(*fields.u8(kKind))),
      number_(number) {
  // No DF, and no path MTU from ICMP errors, which anyone could forge.
  set_option(socket_, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  if (local_.family == 6) set_option(socket_, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
  if (parts.offloads.udp_gro) set_option(socket_, SOL_UDP, UDP_GRO, 1);
  ingress_ = {socket_.get(), make_ingress(fields)};
  parts.node.threads.ingress.post(ReadSocket{&ingress_});
}

IngressUnderlay* Underlay::make_ingress(const Fields& fields) {
  if (kind_ == kUnderlayVxlan) {
    vxlan_ = std::make_unique<VxlanTable>(parts_.stages);
    return vxlan_.get();
  }
  node_ = std::make_unique<WireguardNode>(secret_of(fields.bytes(kPrivateKey)),
                                          WireguardNode::Place{id_, socket_.get()}, parts_.node);
  dispatch_ = std::make_unique<WireguardDispatch>(
      number_, node_->machine().public_key(), WireguardDispatch::Parts{parts_.stages, parts_.node.opener});
  return dispatch_.get();
}

Underlay::~Underlay() {
  parts_.node.threads.ingress.post(ForgetSocket{&ingress_});
  parts_.node.threads.settle();
}

// While an id stands for the same address, the holder keeps its socket.
bool Underlay::is_same(const Fields& fields) const {
  if (fields.u16(kUdpPort).value_or(0) != asked_port_ || fields.u8(kKind) != kind_) return false;
  return kind_ == kUnderlayVxlan || node_->has_key(secret_of(fields.bytes(kPrivateKey)));
}

void Underlay::describe(MessageBuilder& reply) const {
  reply.text(kId, id_).u8(kKind, kind_);
  reply.u8(kFamily, local_.family == 4 ? AF_INET : AF_INET6);
  reply.bytes(kAddress, local_.address_bytes()).u16(kUdpPort, local_.port);
  if (kind_ == kUnderlayWireguard) reply.bytes(kPublicKey, node_->machine().public_key());
}

}  // namespace nsm::io
