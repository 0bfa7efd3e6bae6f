// Joins packets into super-packets by flow, so that each reaches its device with
// one write.
#pragma once

#include <array>

#include "core/gro.h"
#include "core/inner-ip.h"
#include "pipeline/ingress-device.h"

namespace nsm {

// Owner: the ingress thread; all devices share one.
class FlowJoiner {
 public:
  // `packet` stays where it is until flush(). Packets of one flow are written in order.
  void add(IngressDevice& device, Bytes packet, const InnerIp& inner) noexcept;
  // The same for an Ethernet frame. What is not IP is written at once.
  void add_frame(IngressDevice& device, Bytes frame) noexcept;
  void flush() noexcept;

 private:
  static constexpr std::size_t kFlows = 16;  // joined at the same time; a power of two
  struct Flow {
    IngressDevice* device = nullptr;  // of the packets in it
    GroPacket packet;
  };
  void join(IngressDevice& device, const GroPacket::Input& input, std::size_t flow_hash) noexcept;
  void write(Flow& flow) noexcept;

  std::array<Flow, kFlows> flows_;
};

}  // namespace nsm
