// A network port as the egress thread sees it: where the packets of a device go. The
// thread calls ready(), then take() for each packet that it reads, then flush().
//
// Ports and devices belong to the control thread. From the first command about one until
// Channel::settle() after the last, only the egress thread touches it.
#pragma once

#include <cstdint>

#include "io/udp-sender.h"
#include "pipeline/counters.h"
#include "pipeline/datagram-batch.h"
#include "pipeline/fragmenter.h"
#include "pipeline/packet-source.h"
#include "pipeline/tun-packet.h"

namespace nsm::io {

class EgressPort;

// A TUN or TAP device that packets are read from.
class EgressDevice final : public PacketSource {
 public:
  // Both belong to the port, which outlives this.
  EgressDevice(int device_fd, Counters& port_counters) noexcept : fd(device_fd), counters(port_counters) {}
  void send_back(ConstBytes error) noexcept override;

  const int fd;
  Counters& counters;
  EgressPort* port = nullptr;  // cross-connected; null: packets are dropped
  bool listening = false;      // in epoll; otherwise packets wait in the device's queue
};

struct EgressParts {
  DatagramBatch& batch;
  UdpSender& sender;
  Fragmenter& fragmenter;
};

class EgressPort {
 public:
  virtual ~EgressPort() = default;
  // Whether packets may be read for this port. If not, they stay in the device's queue.
  virtual bool ready(std::uint64_t now_ns) noexcept = 0;
  // Packets are waiting and the port is not ready. Called once until they are read or dropped.
  virtual void packets_waiting() noexcept = 0;
  virtual void take(const TunPacket& packet, EgressParts parts) noexcept = 0;
  virtual void flush(EgressParts parts) noexcept = 0;

  EgressDevice* device = nullptr;  // cross-connected, or null
};

}  // namespace nsm::io
