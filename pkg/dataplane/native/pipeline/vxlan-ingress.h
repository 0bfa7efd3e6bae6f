// Ingress of vxlan ports: the port of a datagram, by its VNI, and its frame.
//
//   datagram -> VXLAN header -> VNI -> remote address -> VxlanIngress -> frame
#pragma once

#include <unordered_map>

#include "pipeline/ingress-port.h"
#include "pipeline/inner-rules.h"

namespace nsm {

// A vxlan port as the ingress thread sees it.
class VxlanIngress final : public IngressPort {
 public:
  using IngressPort::IngressPort;

  // `frame` came from the remote, behind a VXLAN header with our VNI.
  void deliver(Bytes frame, FlowJoiner& joiner) noexcept override;

  std::uint32_t vni = 0;
  SocketAddress remote;                    // frames are accepted from its address, whatever the source port
  std::uint32_t mtu_bytes = kMaxMtuBytes;  // of the packet in a frame
};

// The vxlan ports of one underlay, and no others.
class VxlanTable final : public IngressUnderlay {
 public:
  explicit VxlanTable(const IngressParts& parts) noexcept : parts_(parts) {}

  // A VNI belongs to one port: the control thread refuses a second one.
  void add(IngressPort& port) override;
  void remove(const IngressPort& port) noexcept override;

  void take(Bytes datagram, const Origin& origin) noexcept override;
  void flush(std::uint64_t) noexcept override {}

 private:
  IngressParts parts_;
  std::unordered_map<std::uint32_t, VxlanIngress*> ports_;
};

}  // namespace nsm
