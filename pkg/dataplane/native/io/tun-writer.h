// Last stage of ingress: super-packets go to a TUN or TAP device, one write each.
#pragma once

#include "pipeline/counters.h"
#include "pipeline/ingress-device.h"

namespace nsm::io {

// Belongs to the control thread (see IngressPort).
class TunWriter final : public IngressDevice {
 public:
  // `fd` and `counters` belong to the port, which outlives this.
  TunWriter(int fd, Counters& counters, bool takes_uso) noexcept
      : IngressDevice(takes_uso), fd_(fd), counters_(counters) {}

  void write(const VnetHeader& header, std::span<const Bytes> pieces) noexcept override;

 private:
  const int fd_;
  Counters& counters_;
};

}  // namespace nsm::io
