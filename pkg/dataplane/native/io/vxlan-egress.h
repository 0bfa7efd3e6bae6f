// Egress of a vxlan port: each Ethernet frame of a TAP device gets a VXLAN header and goes to the negotiated
// remote.
#pragma once

#include "io/egress-port.h"

namespace nsm::io {

// Owner: the egress thread (see EgressPort).
class VxlanEgress final : public EgressPort {
 public:
  struct Parts {
    Counters& counters;
    UdpTarget target;
    std::uint32_t vni;
    std::uint32_t mtu_bytes;  // of the packet inside the frame
  };
  explicit VxlanEgress(const Parts& parts) noexcept : parts_(parts) {}

  bool ready(std::uint64_t) noexcept override { return true; }
  void packets_waiting() noexcept override {}
  void take(const TunPacket& frame, EgressParts parts) noexcept override;
  void flush(EgressParts parts) noexcept override;

 private:
  void send(const GsoPacket& segments, EgressParts parts) noexcept;

  Parts parts_;
};

}  // namespace nsm::io
