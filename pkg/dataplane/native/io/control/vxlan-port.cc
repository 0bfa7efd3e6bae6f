// A vxlan port: one VNI to one remote (RFC 7348), not encrypted.
#include <errno.h>

#include <set>

#include "core/vxlan.h"
#include "io/control/port-fields.h"
#include "io/control/port-kinds.h"
#include "io/control/underlays.h"
#include "io/vxlan-egress.h"
#include "pipeline/vxlan-ingress.h"

namespace nsm::io {
namespace {

using namespace protocol;

class VxlanUnderlay final : public Underlay {
 public:
  VxlanUnderlay(const Fields& fields, Fd socket, const Place& place)
      : Underlay(fields, std::move(socket), place), table(parts().stages) {
    read(table);
  }
  ~VxlanUnderlay() override { forget(); }

  VxlanTable table;
  std::set<std::uint32_t> vnis;  // of its ports
};

// The attributes of kPortSet.
struct Config {
  std::string id;
  std::string underlay;
  SocketAddress remote;
  std::uint32_t vni = 0;
  std::uint32_t mtu_bytes = 0;  // of the packet inside a frame
  bool operator==(const Config&) const = default;
};

Status parse(View attributes, Config& config) {
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

class VxlanPort final : public Port {
 public:
  VxlanPort(const Config& config, VxlanUnderlay& underlay)
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
    threads().ingress.post(AddPort{&underlay_.table, &ingress_});
  }

  ~VxlanPort() override {
    threads().ingress.post(RemovePort{&underlay_.table, &ingress_});
    threads().settle();
    underlay_.vnis.erase(config_.vni);
    underlay_.ports--;
  }

  std::optional<Status> update(View attributes) override {
    Config config;
    if (Status status = parse(attributes, config); !status.ok()) return status;
    if (config == config_) return Status{};
    return std::nullopt;
  }

  void describe(MessageBuilder& reply) const override {
    reply.text(kUnderlay, config_.underlay).u32(kVni, config_.vni).u32(kMtuBytes, config_.mtu_bytes);
    describe_peer_address(config_.remote, reply);
  }

  std::optional<Network> network() noexcept override { return Network{&egress_, &ingress_, kTap}; }

 private:
  const DataThreads& threads() const noexcept { return underlay_.parts().node.threads; }

  VxlanUnderlay& underlay_;
  const Config config_;
  VxlanEgress egress_;
  VxlanIngress ingress_;
};

}  // namespace

MadeUnderlay make_vxlan_underlay(const Fields& fields, Fd socket, const Underlay::Place& place) {
  return std::make_unique<VxlanUnderlay>(fields, std::move(socket), place);
}

Status check_vxlan_port(View attributes) {
  Config config;
  return parse(attributes, config);
}

Status make_vxlan_port(View attributes, Fd, const PortParts& parts, MadePort& made) {
  Config config;
  Underlay* found = nullptr;
  Status status = parse(attributes, config);
  if (status.ok()) status = parts.underlays.find({config.underlay, kUnderlayVxlan, config.remote}, found);
  if (!status.ok()) return status;
  auto& underlay = static_cast<VxlanUnderlay&>(*found);
  if (underlay.vnis.contains(config.vni))
    return {EEXIST, "another port of this underlay has VNI " + std::to_string(config.vni)};
  made = std::make_unique<VxlanPort>(config, underlay);
  return {};
}

}  // namespace nsm::io
