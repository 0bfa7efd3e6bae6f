// First stage of ingress for vxlan ports: the port of a datagram, by its VNI.
//
//   datagram -> VXLAN header -> VNI -> remote address -> VxlanIngress
#pragma once

#include <unordered_map>

#include "pipeline/vxlan-ingress.h"

namespace nsm {

// The vxlan ports of one underlay.
class VxlanTable final : public IngressUnderlay {
 public:
  explicit VxlanTable(const IngressParts& parts) noexcept : parts_(parts) {}

  // A VNI belongs to one port: the control thread refuses a second one.
  void add(VxlanIngress& port) { ports_[port.vni] = &port; }
  void remove(const VxlanIngress& port) noexcept { ports_.erase(port.vni); }

  void take(Bytes datagram, const Origin& origin) noexcept override;
  void flush(std::uint64_t) noexcept override {}

 private:
  IngressParts parts_;
  std::unordered_map<std::uint32_t, VxlanIngress*> ports_;
};

}  // namespace nsm
