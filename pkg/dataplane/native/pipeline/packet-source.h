// The device that a packet was read from, as the stages of egress see it: the way
// back to the packet's sender.
#pragma once

#include "core/bytes.h"

namespace nsm {

class PacketSource {
 public:
  virtual ~PacketSource() = default;
  // Writes an ICMP error to the device; `error` begins with a vnet header. A full
  // ring drops it, and the sender's next packet causes another.
  virtual void send_back(ConstBytes error) noexcept = 0;
};

}  // namespace nsm
