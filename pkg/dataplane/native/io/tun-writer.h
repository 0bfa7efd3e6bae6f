// Last stage of ingress: packets join into super-packets by flow, and go to
// their device with one write each.
#pragma once

#include <array>

#include "core/gro.h"
#include "core/inner-ip.h"
#include "io/counters.h"

namespace nsm::io {

// A TUN or TAP that packets are written to. Memory: the control thread's (see IngressPort).
struct IngressDevice {
  int fd = -1;
  Counters* counters = nullptr;
  bool uso = false;  // takes joined UDP packets
};

// Owner: the ingress thread; all devices use the same one.
class TunWriter {
 public:
  // `packet` stays where it is until flush(). Packets of one flow are written in order.
  void add(IngressDevice& device, Bytes packet, const InnerIp& inner) noexcept;
  // The same for an Ethernet frame; what is not IP goes out at once.
  void add_frame(IngressDevice& device, Bytes frame) noexcept;
  void flush() noexcept;

 private:
  static constexpr std::size_t kFlows = 16;  // joined side by side; a power of two
  struct Flow {
    IngressDevice* device = nullptr;  // of the packets in it
    GroPacket packet;
  };
  void join(IngressDevice& device, const GroPacket::Input& input, std::size_t flow_hash) noexcept;
  void write(Flow& flow) noexcept;

  std::array<Flow, kFlows> flows_;
};

}  // namespace nsm::io
