#include "io/holder-socket.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

namespace nsm::io {
namespace {

// Takes all descriptors of the packet, returns the first one and closes the others.
Fd take_descriptor(msghdr& header) {
  Fd first;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; i++) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      Fd fd(number);
      if (!first) first = std::move(fd);
    }
  }
  return first;
}

}  // namespace

HolderSocket::HolderSocket(Fd socket) : socket_(std::move(socket)), buffer_(protocol::kMaxMessageBytes) {}

HolderSocket::Received HolderSocket::receive(HolderMessage& message) {
  for (;;) {
    alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
    iovec part{buffer_.data(), buffer_.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t length = recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) return Received::kNothing;
    if (length <= 0) return Received::kClosed;
    message.fd = take_descriptor(header);
    const protocol::View bytes(buffer_.data(), static_cast<std::size_t>(length));
    if (protocol::next_frame(bytes, message.frame) == protocol::FrameState::kComplete)
      return Received::kMessage;
  }
}

void HolderSocket::send(protocol::View message) {
  while (::send(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
      return;  // the holder is gone: the next receive() reports it
    pollfd writable{socket_.get(), POLLOUT, 0};
    poll(&writable, 1, 100);
  }
}

}  // namespace nsm::io
