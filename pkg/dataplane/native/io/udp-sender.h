// Last stage of egress: datagrams to one address, many per system call.
// Datagrams of one length go out as a single UDP_SEGMENT send where the kernel
// takes it, else one by one with sendmmsg.
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

  // Sends all of them in order; `datagrams` stand one behind the other in memory.
  // A full socket is waited for; what the kernel refuses is counted.
  void send(const UdpTarget& target, std::span<const Datagram> datagrams, Counters& counters) noexcept;
  // Sends it unfragmented; what is too long for the path is nobody's loss, and not counted.
  void send_whole(const UdpTarget& target, const Datagram& datagram, Counters& counters) noexcept;

 private:
  // Datagrams that leave by one UDP_SEGMENT: all of one length, the last may be shorter.
  struct Run {
    std::uint8_t* data;
    std::uint32_t bytes;
    std::uint32_t segment_bytes;
    std::uint32_t count;
  };
  static constexpr std::size_t kRuns = 64;          // per sendmmsg
  static constexpr std::size_t kRunSegments = 64;   // UDP_MAX_SEGMENTS of Linux before 6.9
  static constexpr std::size_t kRunBytes = 65'000;  // of UDP payload; leaves room for IPv6 and its options

  std::span<const Datagram> plan(std::span<const Datagram> datagrams, bool gso) noexcept;
  void prepare(const UdpTarget& target) noexcept;
  void transmit(const UdpTarget& target, Counters& counters) noexcept;
  // What to do about `errno` of a send that stopped at `run`: true to try it again.
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
