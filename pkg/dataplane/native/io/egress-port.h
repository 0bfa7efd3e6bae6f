// Where packets of a device go: one kind of network port, as the egress thread
// sees it. The thread calls ready, then take for each packet it read, then flush.
//
// Memory of ports and devices belongs to the control thread; the egress thread
// alone touches it from the first command about it until Channel::settle() after the last.
#pragma once

#include <cstdint>

#include "io/udp-sender.h"
#include "pipeline/counters.h"
#include "pipeline/datagram-batch.h"
#include "pipeline/packet-source.h"
#include "pipeline/tun-packet.h"

namespace nsm::io {

class EgressPort;

// A TUN or TAP that packets are read from.
class EgressDevice final : public PacketSource {
 public:
  // Both are the port's, which outlives this.
  EgressDevice(int device_fd, Counters& port_counters) noexcept : fd(device_fd), counters(port_counters) {}
  void send_back(ConstBytes error) noexcept override;

  const int fd;
  Counters& counters;
  EgressPort* port = nullptr;  // the other end of its wire; absent: packets are dropped
  bool listening = false;      // in epoll; otherwise packets wait in the device's ring
};

struct EgressParts {
  DatagramBatch& batch;
  UdpSender& sender;
};

class EgressPort {
 public:
  virtual ~EgressPort() = default;
  // May packets be read for it? If not they stay in the device's ring.
  virtual bool ready(std::uint64_t now_ns) noexcept = 0;
  // Packets wait, and it is not ready. Called once until they are read or dropped.
  virtual void packets_waiting() noexcept = 0;
  virtual void take(const TunPacket& packet, EgressParts parts) noexcept = 0;
  virtual void flush(EgressParts parts) noexcept = 0;

  EgressDevice* device = nullptr;  // the other end of its wire
};

}  // namespace nsm::io
