#include "io/udp-receiver.h"

#include <netinet/udp.h>

namespace nsm::io {

UdpReceiver::UdpReceiver() : memory_(std::make_unique<std::uint8_t[]>(kMessages * kMessageBytes)) {
  for (std::size_t i = 0; i < kMessages; i++) {
    parts_[i] = {memory_.get() + i * kMessageBytes, kMessageBytes};
    headers_[i] = {};
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &from_[i];
    header.msg_iov = &parts_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes;
  }
}

std::span<const Received> UdpReceiver::receive(int socket) noexcept {
  for (mmsghdr& message : headers_) {
    message.msg_hdr.msg_namelen = sizeof(Sockaddr);
    message.msg_hdr.msg_controllen = sizeof(Control);
  }
  const int count = recvmmsg(socket, headers_.data(), kMessages, MSG_DONTWAIT, nullptr);
  for (int i = 0; i < count; i++) received_[i] = read(static_cast<std::size_t>(i));
  return {received_.data(), static_cast<std::size_t>(count > 0 ? count : 0)};
}

Received UdpReceiver::read(std::size_t index) noexcept {
  msghdr& header = headers_[index].msg_hdr;
  const std::size_t bytes = headers_[index].msg_len;
  std::size_t segment_bytes = bytes;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_UDP || part->cmsg_type != UDP_GRO) continue;
    int segment = 0;
    std::memcpy(&segment, CMSG_DATA(part), sizeof segment);
    if (segment > 0) segment_bytes = static_cast<std::size_t>(segment);
  }
  auto* data = static_cast<std::uint8_t*>(parts_[index].iov_base);
  return {{data, bytes}, segment_bytes, (header.msg_flags & MSG_TRUNC) != 0, from_[index].socket_address()};
}

}  // namespace nsm::io
