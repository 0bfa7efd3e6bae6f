// Last stage of egress: sends datagrams to one address, many per system call. Datagrams
// of equal length are one send with UDP_SEGMENT where the kernel supports it; otherwise
// each is a message of sendmmsg.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>

#include "io/sockaddr.h"
#include "pipeline/counters.h"
#include "pipeline/datagram-batch.h"

namespace nsm::io {

struct UdpTarget {
  int socket = -1;
  Sockaddr to;
};

// Owner: the egress thread.
class UdpSender {
 public:
  explicit UdpSender(bool gso) noexcept : gso_(gso) {}

  // Sends `datagrams`, which are contiguous in memory, in order. Waits while the socket is
  // full; what the kernel refuses is counted.
  void send(const UdpTarget& target, std::span<const Datagram> datagrams, Counters& counters) noexcept;
  // Sends a probe with DF set. One that is too long for the path is not counted as lost.
  void send_whole(const UdpTarget& target, const Datagram& datagram, Counters& counters) noexcept;

 private:
  // Datagrams of one send with UDP_SEGMENT: all of equal length; the last may be shorter.
  struct Run {
    std::uint8_t* data;
    std::uint32_t bytes;
    std::uint32_t segment_bytes;
    std::uint32_t count;
  };
  static constexpr std::size_t kRuns = 64;         // per sendmmsg
  static constexpr std::size_t kRunSegments = 64;  // UDP_MAX_SEGMENTS of Linux before 6.9
  static constexpr std::size_t kRunBytes =
      65'000;  // of UDP payload; leaves room for an IPv6 header with options

  std::span<const Datagram> plan(std::span<const Datagram> datagrams, bool gso) noexcept;
  void prepare(const UdpTarget& target) noexcept;
  void transmit(const UdpTarget& target, Counters& counters) noexcept;
  // Handles the `errno` of a send that stopped at `run`. True: try it again.
  bool retry(const UdpTarget& target, const Run& run, Counters& counters) noexcept;
  void send_singly(const UdpTarget& target, const Run& run, Counters& counters) noexcept;

  bool gso_;
  std::size_t run_count_ = 0;
  std::array<Run, kRuns> runs_;
  std::array<mmsghdr, kRuns> headers_;
  std::array<iovec, kRuns> parts_;
  struct alignas(cmsghdr) Control {
    char bytes[CMSG_SPACE(sizeof(std::uint16_t))];
  };
  std::array<Control, kRuns> controls_;
};

}  // namespace nsm::io
