#include "holder/rtnl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstring>

#include "holder/unix-socket.h"

namespace nsm::holder {
namespace {

constexpr timeval kKernelTimeout{5, 0};
constexpr int kEventBufferBytes = 4 * 1024 * 1024;

nlmsghdr header_of(View message) {
  nlmsghdr header;
  std::memcpy(&header, message.data(), sizeof header);
  return header;
}

// Checks that `payload` is a chain of complete requests. Makes the kernel acknowledge each
// of them, so that the end of its answer can be recognized.
Status prepare(Bytes& payload) {
  std::size_t at = 0;
  while (at < payload.size()) {
    if (payload.size() - at < NLMSG_HDRLEN) return {EINVAL, "the payload ends inside a netlink header"};
    nlmsghdr header = header_of(View(payload).subspan(at));
    if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > payload.size() - at) {
      return {EINVAL, "a netlink message in the payload is longer than the payload"};
    }
    if (header.nlmsg_type < NLMSG_MIN_TYPE) return {EINVAL, "the payload contains a netlink control message"};
    header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;  // a dump still ends with NLMSG_DONE
    std::memcpy(payload.data() + at, &header, sizeof header);
    at += std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), payload.size() - at);
  }
  return at == 0 ? Status{EINVAL, "the payload is empty"} : Status{};
}

// Receives until the answer to `sequence` is complete.
Status collect(int socket, std::uint32_t sequence, const std::function<void(View)>& emit) {
  thread_local std::vector<std::uint8_t> buffer(kMaxDatagramBytes);
  for (bool complete = false; !complete;) {
    const ssize_t size = recv(socket, buffer.data(), buffer.size(), MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return {ETIMEDOUT, "the kernel did not answer within 5 s"};
    if (size < 0) return {errno, "cannot receive from rtnetlink: " + errno_text(errno)};
    if (static_cast<std::size_t>(size) > buffer.size()) return {EMSGSIZE, "the kernel's answer is too long"};
    each_message(View(buffer).first(size), [&](View message) {
      const nlmsghdr header = header_of(message);
      if (header.nlmsg_seq != sequence) return;
      complete |= header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR;
      emit(message);
    });
  }
  return {};
}

}  // namespace

void each_message(View datagram, const std::function<void(View)>& visit) {
  while (datagram.size() >= NLMSG_HDRLEN) {
    const nlmsghdr header = header_of(datagram);
    if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > datagram.size()) return;
    const std::size_t padded = std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size());
    visit(datagram.first(header.nlmsg_len));
    datagram = datagram.subspan(padded);
  }
}

Status Rtnl::open(const Namespace& target, Fd& socket) {
  const NamespaceVisit visit(*namespaces_.own(), target);
  if (!visit.status().ok()) return visit.status();
  socket = Fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const int on = 1;
  const sockaddr_nl any{AF_NETLINK, 0, 0, 0};
  if (!socket || bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
      setsockopt(socket.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on) != 0 ||
      setsockopt(socket.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on) != 0 ||
      setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kKernelTimeout, sizeof kKernelTimeout) != 0) {
    return {errno, "cannot open rtnetlink: " + errno_text(errno)};
  }
  return {};
}

Status Rtnl::exchange(Namespace& target, Bytes payload, const std::function<void(View)>& emit) {
  if (!target.rtnl) {
    if (Status status = open(target, target.rtnl); !status.ok()) return status;
  }
  Status status = exchange_on(target.rtnl.get(), std::move(payload), emit);
  if (!status.ok()) target.rtnl.reset();  // a late answer must not be taken for that to the next request
  return status;
}

Status Rtnl::exchange_on(int socket, Bytes payload, const std::function<void(View)>& emit) {
  Status status = prepare(payload);
  if (!status.ok()) return status;
  each_message(payload, [&](View message) {
    if (!status.ok()) return;
    if (send(socket, message.data(), message.size(), 0) < 0) {
      status = {errno, "cannot send to rtnetlink: " + errno_text(errno)};
    } else {
      status = collect(socket, header_of(message).nlmsg_seq, emit);
    }
  });
  return status;
}

bool Rtnl::is_slow(View payload) {
  bool is_slow = false;
  each_message(payload, [&](View message) { is_slow |= header_of(message).nlmsg_type == RTM_DELLINK; });
  return is_slow;
}

Status Rtnl::subscribe(const Namespace& target, std::uint32_t groups, Fd& socket) {
  if (Status status = open(target, socket); !status.ok()) return status;
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kEventBufferBytes, sizeof kEventBufferBytes);
  for (int group = 1; group <= 32; ++group) {
    if (!(groups >> (group - 1) & 1)) continue;
    if (setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
      return {errno, "cannot join rtnetlink group " + std::to_string(group) + ": " + errno_text(errno)};
    }
  }
  return {};
}

}  // namespace nsm::holder
