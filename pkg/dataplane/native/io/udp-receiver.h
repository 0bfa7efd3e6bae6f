// First stage of ingress: receives many messages per system call (recvmmsg), each of
// which may be many datagrams of one sender that UDP_GRO has joined.
#pragma once

#include <sys/socket.h>

#include <array>
#include <memory>
#include <span>

#include "core/bytes.h"
#include "io/sockaddr.h"

namespace nsm::io {

// Datagrams of one sender, one behind the other. Each is `segment_bytes` long; the last may be shorter.
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
  static constexpr std::size_t kSegments = 64;  // the most that the kernel joins
  UdpReceiver();
  // What is waiting in the socket; valid until the next call.
  std::span<const Received> receive(int socket) noexcept;

 private:
  static constexpr std::size_t kMessageBytes = 65536;
  // Room for UDP_GRO and for the packet information (IP_PKTINFO) that the holder turns on.
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
