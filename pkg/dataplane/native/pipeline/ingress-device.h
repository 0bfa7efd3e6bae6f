// A TUN or TAP device that packets are written to, as the stages of ingress see it.
#pragma once

#include <span>

#include "core/bytes.h"
#include "core/vnet-header.h"

namespace nsm {

class IngressDevice {
 public:
  explicit IngressDevice(bool takes_uso) noexcept : takes_uso_(takes_uso) {}
  virtual ~IngressDevice() = default;

  // Whether the device takes super-packets of UDP (USO).
  bool takes_uso() const noexcept { return takes_uso_; }
  // Writes one packet, or a super-packet of as many packets as there are pieces: the
  // header and the pieces, one after the other. Counts what was written or refused.
  virtual void write(const VnetHeader& header, std::span<const Bytes> pieces) noexcept = 0;

 private:
  const bool takes_uso_;
};

}  // namespace nsm
