// A vxlan port: one VNI to one remote (RFC 7348), not encrypted.
#pragma once

#include "io/control/port.h"
#include "io/control/underlay.h"
#include "io/vxlan-egress.h"

namespace nsm::io {

// The attributes of kPortSet.
struct VxlanConfig {
  std::string id;
  std::string underlay;
  SocketAddress remote;
  std::uint32_t vni = 0;
  std::uint32_t mtu_bytes = 0;  // of the packet inside a frame
  bool operator==(const VxlanConfig&) const = default;
};

class VxlanPort final : public Port {
 public:
  static protocol::Status parse(protocol::View attributes, VxlanConfig& config);

  VxlanPort(const VxlanConfig& config, Underlay& underlay);
  ~VxlanPort() override;

  std::optional<protocol::Status> update(protocol::View attributes) override;
  void describe(protocol::MessageBuilder& reply) const override;
  std::optional<Network> network() noexcept override { return Network{&egress_, &ingress_, protocol::kTap}; }

  const VxlanConfig& config() const noexcept { return config_; }

 private:
  Underlay& underlay_;
  const VxlanConfig config_;
  VxlanEgress egress_;
  VxlanIngress ingress_;
};

}  // namespace nsm::io
