#include "io/control/underlay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <unistd.h>

#include "io/control/port-kinds.h"
#include "io/sockaddr.h"

namespace nsm::io {
namespace {

using namespace protocol;

void set_option(const Fd& socket, int level, int name, int value) noexcept {
  setsockopt(socket.get(), level, name, &value, sizeof value);
}

}  // namespace

Status Underlay::parse(View attributes, Fields& fields) {
  Status status = fields.parse(attributes, {kId, kKind, kFamily, kAddress, kUdpPort, kPrivateKey});
  if (status.ok()) status = fields.require({kId, kKind});
  if (!status.ok()) return status;
  const KindOfUnderlay* const kind = find_kind(kUnderlayKinds, *fields.u8(kKind));
  if (!kind) return unknown_kind("underlay", kUnderlayKinds);
  return kind->has_key ? fields.require({kPrivateKey}) : status;
}

Underlay::Underlay(const Fields& fields, Fd socket, const Place& place)
    : id_(fields.text(kId)),
      parts_(place.parts),
      socket_(std::move(socket)),
      asked_(asked(fields)),
      kind_(static_cast<UnderlayKind>(*fields.u8(kKind))),
      number_(place.number) {
  adopt_socket();
}

Underlay::Asked Underlay::asked(const Fields& fields) {
  const View address = fields.bytes(kAddress);
  return {protocol::Bytes(address.begin(), address.end()), fields.u16(kUdpPort).value_or(0)};
}

void Underlay::adopt_socket() noexcept {
  local_ = local_address(socket_.get());
  // No DF, and no path MTU from ICMP errors, which anyone could forge.
  set_option(socket_, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  if (local_.family == 6) set_option(socket_, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
  if (parts_.offloads.udp_gro) set_option(socket_, SOL_UDP, UDP_GRO, 1);
}

Status Underlay::move(const Fields& fields, const Fd& socket) {
  forget();
  const bool moved = dup3(socket.get(), socket_.get(), O_CLOEXEC) >= 0;
  if (moved) {
    asked_ = asked(fields);
    adopt_socket();
  }
  read(*ingress_.underlay);
  if (moved) return {};
  return {EIO, "the socket of underlay " + id_ + " cannot be exchanged"};
}

void Underlay::read(IngressUnderlay& ingress) noexcept {
  ingress_ = {socket_.get(), &ingress};
  parts_.node.threads.ingress.post(ReadSocket{&ingress_});
}

void Underlay::forget() noexcept {
  parts_.node.threads.ingress.post(ForgetSocket{&ingress_});
  parts_.node.threads.settle();
}

bool Underlay::has_address_of(const Fields& fields) const noexcept { return asked(fields) == asked_; }

bool Underlay::has_kind_and_key_of(const Fields& fields) const {
  return fields.u8(kKind) == kind_ && has_key_of(fields);
}

void Underlay::describe(MessageBuilder& reply) const {
  reply.text(kId, id_).u8(kKind, kind_);
  reply.u8(kFamily, local_.family == 4 ? AF_INET : AF_INET6);
  reply.bytes(kAddress, local_.address_bytes()).u16(kUdpPort, local_.port);
}

}  // namespace nsm::io
