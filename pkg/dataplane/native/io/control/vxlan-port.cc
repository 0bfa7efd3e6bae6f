#include "io/control/vxlan-port.h"

#include <errno.h>

#include "core/vxlan.h"
#include "io/control/port-fields.h"

namespace nsm::io {

using namespace protocol;

Status VxlanPort::parse(View attributes, VxlanConfig& config) {
  Fields fields;
  Status status = fields.parse(attributes, {kId, kKind, kUnderlay, kPeerAddress, kPeerPort, kVni, kMtuBytes});
  if (status.ok()) status = fields.require({kId, kUnderlay, kPeerAddress, kPeerPort, kVni});
  if (status.ok()) status = read_peer_address(fields, config.remote);
  InnerRules rules;
  if (status.ok()) status = read_rules(fields, rules);
  if (!status.ok()) return status;
  config.id = fields.text(kId);
  config.underlay = fields.text(kUnderlay);
  config.vni = *fields.u32(kVni);
  config.mtu_bytes = rules.mtu_bytes;
  if (config.vni >= kVniMin && config.vni <= kVniMax) return {};
  return {EINVAL, "vni " + std::to_string(config.vni) + " is not between " + std::to_string(kVniMin) +
                      " and " + std::to_string(kVniMax)};
}

VxlanPort::VxlanPort(const VxlanConfig& config, Underlay& underlay)
    : Port(config.id, kVxlan),
      underlay_(underlay),
      config_(config),
      egress_({counters_, {underlay.socket(), Sockaddr(config.remote)}, config.vni, config.mtu_bytes}),
      ingress_(counters_) {
  underlay_.ports++;
  underlay_.vnis.insert(config.vni);
  ingress_.vni = config.vni;
  ingress_.remote = config.remote;
  ingress_.mtu_bytes = config.mtu_bytes;
  underlay_.parts().node.threads.ingress.post(AddVxlan{&underlay_.vxlan_table(), &ingress_});
}

VxlanPort::~VxlanPort() {
  const DataThreads& threads = underlay_.parts().node.threads;
  threads.ingress.post(RemoveVxlan{&underlay_.vxlan_table(), &ingress_});
  threads.settle();
  underlay_.vnis.erase(config_.vni);
  underlay_.ports--;
}

std::optional<Status> VxlanPort::update(View attributes) {
  VxlanConfig config;
  if (Status status = parse(attributes, config); !status.ok()) return status;
  if (config == config_) return Status{};
  return std::nullopt;
}

void VxlanPort::describe(MessageBuilder& reply) const {
  reply.text(kUnderlay, config_.underlay).u32(kVni, config_.vni).u32(kMtuBytes, config_.mtu_bytes);
  describe_peer_address(config_.remote, reply);
}

}  // namespace nsm::io
