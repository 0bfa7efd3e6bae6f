// A vxlan port as the ingress thread sees it.
#pragma once

#include "pipeline/ingress-port.h"
#include "pipeline/inner-rules.h"

namespace nsm {

class VxlanIngress final : public IngressPort {
 public:
  using IngressPort::IngressPort;

  // `frame` came from the remote, behind a VXLAN header with our VNI.
  void deliver(Bytes frame, FlowJoiner& joiner) noexcept override;

  std::uint32_t vni = 0;
  SocketAddress remote;                    // frames are accepted from its address, whatever the source port
  std::uint32_t mtu_bytes = kMaxMtuBytes;  // of the packet in a frame
};

}  // namespace nsm
