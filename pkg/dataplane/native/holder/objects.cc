#include "holder/objects.h"

#include <errno.h>
#include <linux/netlink.h>

#include <algorithm>

#include "io/sockaddr.h"

namespace nsm::holder {

using namespace protocol;

namespace {

Status read_address(const Fields& fields, SocketAddress& address) {
  const View bytes = fields.bytes(kAddress);
  const std::uint8_t family = *fields.u8(kFamily);
  if ((family != AF_INET || bytes.size() != 4) && (family != AF_INET6 || bytes.size() != 16)) {
    return {EINVAL, "the address does not fit the family: AF_INET has 4 bytes, AF_INET6 has 16"};
  }
  address.family = family == AF_INET ? 4 : 6;
  address.port = *fields.u16(kUdpPort);
  std::copy(bytes.begin(), bytes.end(), address.address.begin());
  return {};
}

}  // namespace

Status Objects::handle(const ConnectionRef& connection, const Frame& request) {
  switch (request.type) {
    case kUnderlaySet:
      return set_underlay(connection, request);
    case kPortSet:
      return set_port(connection, request);
    case kCrossConnectSet:
      return set_plain(connection, request);
    case kUnderlayDel:
    case kPortDel:
    case kCrossConnectDel:
      return remove(connection, request);
    case kCountersGet:
      return get_counters(connection, request);
    case kUnderlayGet:
    case kPortGet:
    case kCrossConnectGet:
    case kLinkQualityGet:
    case kRehandshake:
      return pass(connection, request, {});
    default:
      return {EOPNOTSUPP, "message type " + std::to_string(request.type) + " is unknown"};
  }
}

Status Objects::set_underlay(const ConnectionRef& connection, const Frame& request) {
  Fields fields;
  Status status = fields.parse(request.attributes, {kId, kFamily, kAddress, kUdpPort, kPrivateKey, kKind});
  if (status.ok()) status = fields.require({kId, kFamily, kAddress, kUdpPort, kKind});
  if (!status.ok()) return status;
  SocketAddress wanted;
  if (status = read_address(fields, wanted); !status.ok()) return status;
  Change change{kUnderlaySet, std::string(fields.text(kId)), false, {}, nullptr};
  if (status = find_or_make_socket(change.id, wanted, change.fd); !status.ok()) return status;
  MessageBuilder reply(kUnderlaySet, 0, request.sequence);
  change.reply = reply.text(kId, change.id).u16(kUdpPort, io::local_address(change.fd->get()).port).take();
  change.message.assign(request.bytes.begin(), request.bytes.end());
  return pass(connection, request, std::move(change));
}

Status Objects::find_or_make_socket(const std::string& id, const SocketAddress& wanted, FdRef& fd) {
  fd = sockets_.find(id, wanted);
  if (fd) return {};
  // The underlay moves: until the engine has taken the new socket, it uses the former one.
  const FdRef former = sockets_.find_other(id, wanted);
  Fd socket;
  Status status = former ? open_udp_beside(*former, wanted, socket) : open_udp(wanted, socket);
  if (status.ok()) fd = sockets_.keep(id, wanted, std::move(socket));
  return status;
}

Status Objects::set_port(const ConnectionRef& connection, const Frame& request) {
  Fields fields;
  Status status = fields.parse_any(request.attributes);
  if (status.ok()) status = fields.require({kId, kKind});
  if (!status.ok()) return status;
  const std::uint8_t kind = *fields.u8(kKind);
  return kind == kTun || kind == kTap ? set_device(connection, request) : set_plain(connection, request);
}

Status Objects::set_device(const ConnectionRef& connection, const Frame& request) {
  Fields fields;
  NamespaceRef target;
  Status status = fields.parse(request.attributes, {kId, kKind, kNsDev, kNsIno, kIfname, kMtuBytes});
  if (status.ok()) status = fields.require({kNsDev, kNsIno, kIfname});
  if (status.ok()) status = parts_.namespaces.find(fields, target);
  if (!status.ok()) return status;
  if (target == parts_.namespaces.own() && !parts_.allow_own_namespace) {
    return {EPERM, "ports in the node's own network namespace are refused; see nsm-dataplane hold --help"};
  }
  const DeviceSpec wanted{*fields.u8(kKind), target->id, std::string(fields.text(kIfname))};
  Change change{kPortSet, std::string(fields.text(kId)), false, {}, nullptr};
  if (status = find_or_make_device(change.id, wanted, change.fd); !status.ok()) return status;
  change.message = MessageBuilder(kPortSet, request.flags, request.sequence)
                       .encoded(request.attributes)
                       .u32(kIfindex, interface_index(parts_.namespaces, *target, wanted.name))
                       .take();
  return pass(connection, request, std::move(change));
}

Status Objects::find_or_make_device(const std::string& id, const DeviceSpec& wanted, FdRef& fd) {
  fd = devices_.find(id, wanted);
  if (!fd && devices_.find_other(id, wanted))
    return {EEXIST, "port " + id + " is another interface; delete it first"};
  // A workload may have removed, renamed or moved the interface. Then a new one replaces it.
  if (fd && is_device(*fd, wanted)) return {};
  Fd device;
  Status status = open_device(parts_.namespaces, wanted, parts_.offloads, device);
  if (status.ok()) fd = devices_.keep(id, wanted, std::move(device));
  return status;
}

Status Objects::set_plain(const ConnectionRef& connection, const Frame& request) {
  Fields fields;
  Status status = fields.parse_any(request.attributes);
  if (status.ok()) status = fields.require({kId});
  if (!status.ok()) return status;
  return pass(connection, request,
              {request.type, std::string(fields.text(kId)), false,
               Bytes(request.bytes.begin(), request.bytes.end()), nullptr});
}

Status Objects::remove(const ConnectionRef& connection, const Frame& request) {
  Fields fields;
  Status status = fields.parse(request.attributes, {kId});
  if (status.ok()) status = fields.require({kId});
  if (!status.ok()) return status;
  static_assert(kUnderlayDel == kUnderlaySet + 1 && kPortDel == kPortSet + 1 &&
                kCrossConnectDel == kCrossConnectSet + 1);
  const auto set_type = static_cast<std::uint16_t>(request.type - 1);
  return pass(connection, request, {set_type, std::string(fields.text(kId)), true, {}, nullptr});
}

Status Objects::pass(const ConnectionRef& connection, const Frame& request, Change change) {
  Fields fields;
  if (Status status = fields.parse_any(request.attributes); !status.ok()) return status;
  Bytes message = change.message.empty() ? Bytes(request.bytes.begin(), request.bytes.end()) : change.message;
  FdRef fd = change.fd;
  const std::weak_ptr<ControlConnection> weak = connection;
  auto on_answer = [this, weak, sequence = request.sequence, change = std::move(change)](const Frame& frame) {
    const ConnectionRef held = weak.lock();
    const bool is_last = frame.type == NLMSG_ERROR;
    if (is_last) settle(change, read_answer(frame));
    if (!held) return;
    if (is_last && read_answer(frame).ok() && !change.reply.empty()) held->send(change.reply);
    held->send(with_sequence(frame.bytes, sequence));
  };
  if (parts_.engine.submit({std::move(message), std::move(fd), std::move(on_answer)})) return {};
  return {EAGAIN, "the engine is away and too many requests are waiting for it; try again"};
}

void Objects::settle(const Change& change, const Status& status) {
  if (change.type == 0) return;
  if (change.removes) {
    if (status.ok() || status.error == ENOENT) parts_.journal.forget(change.type, change.id);
  } else if (status.ok()) {
    parts_.journal.remember(change.type, change.id, {change.message, change.fd});
  }
}

Status Objects::get_counters(const ConnectionRef& connection, const Frame& request) {
  Fields fields;
  if (Status status = fields.parse(request.attributes, {kId}); !status.ok()) return status;
  const bool only_own = fields.text(kId) == "holder";
  if (only_own || !fields.has(kId)) send_counters(*connection, request);
  if (!only_own) return pass(connection, request, {});
  connection->send(answer(request, {}));
  return {};
}

void Objects::send_counters(ControlConnection& connection, const Frame& request) const {
  MessageBuilder reply(kCountersGet, 0, request.sequence);
  reply.text(kId, "holder");
  for (std::size_t i = 0; i < Counters::kCount; ++i) {
    reply.begin(kCounter)
        .text(kCounterName, Counters::kNames[i])
        .u64(kCounterValue, parts_.counters.at(i))
        .end();
  }
  connection.send(reply.take());
}

}  // namespace nsm::holder
