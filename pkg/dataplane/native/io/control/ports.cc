#include "io/control/ports.h"

#include <errno.h>

#include "io/clock.h"
#include "io/control/vxlan-port.h"
#include "io/control/wireguard-port.h"

namespace nsm::io {
namespace {

using namespace protocol;

// Reads id and kind only; each kind then parses its own attributes strictly.
Status read_id_and_kind(View attributes, Fields& fields) {
  const Status status = fields.parse(attributes, {kId,
                                                  kKind,
                                                  kNsDev,
                                                  kNsIno,
                                                  kIfname,
                                                  kIfindex,
                                                  kUnderlay,
                                                  kPrivateKey,
                                                  kPeerResponderKey,
                                                  kPeerInitiatorKey,
                                                  kPresharedKey,
                                                  kPeerAddress,
                                                  kPeerPort,
                                                  kAead,
                                                  kRoaming,
                                                  kLocalPrefix,
                                                  kRemotePrefix,
                                                  kKeepaliveSeconds,
                                                  kVni,
                                                  kMtuBytes,
                                                  kPayloadKind,
                                                  kProbeMessages});
  return status.ok() ? fields.require({kId, kKind}) : status;
}

}  // namespace

Status Ports::set(View attributes, Fd device) {
  Fields fields;
  if (Status status = read_id_and_kind(attributes, fields); !status.ok()) return status;
  const std::string id(fields.text(kId));
  if (Port* known = find(id); known && known->kind() == *fields.u8(kKind)) {
    if (const auto status = known->update(attributes)) return *status;
  }
  remove(id);
  PortPtr made;
  if (Status status = make(attributes, std::move(device), made); !status.ok()) {
    state_.release(id);
    return status;
  }
  by_id_.emplace(id, std::move(made));
  cross_connects_.join_port(id);
  return {};
}

void Ports::remove(std::string_view id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  cross_connects_.part_port(id);
  by_id_.erase(found);
  state_.release(id);
}

Port* Ports::find(std::string_view id) const noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

Status Ports::make(View attributes, Fd device, PortPtr& made) {
  Fields fields;
  if (Status status = read_id_and_kind(attributes, fields); !status.ok()) return status;
  switch (*fields.u8(kKind)) {
    case kTun:
    case kTap:
      return make_device(attributes, std::move(device), made);
    case kWireguard:
      return make_wireguard(attributes, made);
    case kVxlan:
      return make_vxlan(attributes, made);
  }
  return {EOPNOTSUPP, "the port kind is unknown; known are tun (1), tap (2), wireguard (3), vxlan (4)"};
}

Status Ports::make_device(View attributes, Fd device, PortPtr& made) {
  Fields fields;
  if (Status status = DevicePort::parse(attributes, fields); !status.ok()) return status;
  if (!device)
    return {EBADF,
            "the message for port " + std::string(fields.text(kId)) + " carries no descriptor of a device"};
  made = std::make_unique<DevicePort>(fields, std::move(device), devices_);
  return {};
}

Status Ports::make_wireguard(View attributes, PortPtr& made) {
  WireguardConfig config;
  Underlay* underlay = nullptr;
  Status status = WireguardPort::parse(attributes, config);
  if (status.ok()) status = find_underlay(config.underlay, config.peer.endpoint, underlay);
  if (!status.ok()) return status;
  if (underlay->kind() != kUnderlayWireguard)
    return {EINVAL, "underlay " + config.underlay + " is of kind vxlan, not wireguard"};
  config.peer.tag = next_tag_++;
  auto port = std::make_unique<WireguardPort>(config, *underlay);
  if (status = port->start(state_.take(config.id), now()); !status.ok()) return status;
  made = std::move(port);
  return {};
}

Status Ports::make_vxlan(View attributes, PortPtr& made) {
  VxlanConfig config;
  Underlay* underlay = nullptr;
  Status status = VxlanPort::parse(attributes, config);
  if (status.ok()) status = find_underlay(config.underlay, config.remote, underlay);
  if (!status.ok()) return status;
  if (underlay->kind() != kUnderlayVxlan)
    return {EINVAL, "underlay " + config.underlay + " is of kind wireguard, not vxlan"};
  if (underlay->vnis.contains(config.vni)) {
    return {EEXIST, "another port of this underlay has VNI " + std::to_string(config.vni)};
  }
  made = std::make_unique<VxlanPort>(config, *underlay);
  return {};
}

Status Ports::find_underlay(std::string_view id, const SocketAddress& peer, Underlay*& underlay) {
  underlay = underlays_.find(id);
  if (!underlay) return {ENOENT, "there is no underlay " + std::string(id)};
  if (!peer.known() || peer.family == underlay->family()) return {};
  return {EAFNOSUPPORT, "the peer's address has another family than underlay " + std::string(id)};
}

}  // namespace nsm::io
