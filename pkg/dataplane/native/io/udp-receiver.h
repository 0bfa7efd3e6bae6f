// First stage of ingress: datagrams of a socket, many per system call
// (recvmmsg), each of them many datagrams of one sender where UDP_GRO joined them.
#pragma once

#include <sys/socket.h>

#include <array>
#include <memory>
#include <span>

#include "core/bytes.h"
#include "io/sockaddr.h"

namespace nsm::io {

// Datagrams of one sender, one behind the other, each `segment_bytes` long but the last.
struct Received {
  Bytes bytes;
  std::size_t segment_bytes = 0;
  bool truncated = false;
  SocketAddress from;
};

// Owner: the ingress thread; one set of buffers serves all sockets.
class UdpReceiver {
 public:
  static constexpr std::size_t kMessages = 16;
  static constexpr std::size_t kSegments = 64;  // that the kernel joins at most
  UdpReceiver();
  // What waits; valid until the next receive.
  std::span<const Received> receive(int socket) noexcept;

 private:
  static constexpr std::size_t kMessageBytes = 65536;
  // Room for UDP_GRO, and for the packet information that the holder's sockets ask for.
  struct alignas(cmsghdr) Control {
    char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo))];
  };

  Received read(std::size_t index) noexcept;

  std::unique_ptr<std::uint8_t[]> memory_;
  std::array<iovec, kMessages> parts_;
  std::array<Sockaddr, kMessages> from_;
  std::array<Control, kMessages> controls_;
  std::array<mmsghdr, kMessages> headers_;
  std::array<Received, kMessages> received_;
};

}  // namespace nsm::io
