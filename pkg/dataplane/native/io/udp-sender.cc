#include "io/udp-sender.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>

#include <algorithm>

namespace nsm::io {
namespace {

constexpr int kFullSocketMs = 50;  // how long to wait for a full socket before packets are dropped

bool wait_writable(int socket) noexcept {
  pollfd writable{socket, POLLOUT, 0};
  return poll(&writable, 1, kFullSocketMs) == 1;
}

// `df`: sets DF, whatever path MTU the kernel knows. Otherwise the kernel may fragment.
void set_dont_fragment(const UdpTarget& target, bool df) noexcept {
  const bool v4 = target.to.any.sa_family == AF_INET;
  const int how =
      v4 ? (df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT) : (df ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_OMIT);
  setsockopt(target.socket, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &how,
             sizeof how);
}

}  // namespace

void UdpSender::send(const UdpTarget& target, std::span<const Datagram> datagrams,
                     Counters& counters) noexcept {
  while (!datagrams.empty()) {
    datagrams = plan(datagrams, gso_);
    prepare(target);
    transmit(target, counters);
  }
}

// The option is the socket's, so a handshake of the control thread may be sent with DF, too. It is short
// enough.
void UdpSender::send_whole(const UdpTarget& target, const Datagram& datagram, Counters& counters) noexcept {
  set_dont_fragment(target, true);
  const ssize_t sent = sendto(target.socket, datagram.data, datagram.bytes, MSG_DONTWAIT | MSG_NOSIGNAL,
                              &target.to.any, target.to.size());
  set_dont_fragment(target, false);
  if (sent < 0) return;
  counters.tx.add(Tx::packets);
  counters.tx.add(Tx::bytes, datagram.bytes);
}

// Plans runs from the front of `datagrams`; returns those that found no room.
std::span<const Datagram> UdpSender::plan(std::span<const Datagram> datagrams, bool gso) noexcept {
  for (run_count_ = 0; run_count_ < kRuns && !datagrams.empty(); run_count_++) {
    Run run{datagrams[0].data, 0, datagrams[0].bytes, 0};
    const std::size_t limit = gso ? kRunSegments : 1;
    bool full = false;
    while (run.count < datagrams.size() && run.count < limit && !full) {
      const std::uint32_t bytes = datagrams[run.count].bytes;
      if (bytes > run.segment_bytes || (run.count > 0 && run.bytes + bytes > kRunBytes)) break;
      full = bytes < run.segment_bytes;  // only the last one of a run may be shorter
      run.bytes += bytes;
      run.count++;
    }
    runs_[run_count_] = run;
    datagrams = datagrams.subspan(run.count);
  }
  return datagrams;
}

void UdpSender::prepare(const UdpTarget& target) noexcept {
  for (std::size_t i = 0; i < run_count_; i++) {
    const Run& run = runs_[i];
    parts_[i] = {run.data, run.bytes};
    msghdr& header = headers_[i].msg_hdr;
    header = {};
    header.msg_name = const_cast<sockaddr*>(&target.to.any);
    header.msg_namelen = target.to.size();
    header.msg_iov = &parts_[i];
    header.msg_iovlen = 1;
    if (run.count == 1) continue;
    header.msg_control = controls_[i].bytes;
    header.msg_controllen = sizeof controls_[i].bytes;
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    const auto segment_bytes = static_cast<std::uint16_t>(run.segment_bytes);
    control->cmsg_len = CMSG_LEN(sizeof segment_bytes);
    std::memcpy(CMSG_DATA(control), &segment_bytes, sizeof segment_bytes);
  }
}

void UdpSender::transmit(const UdpTarget& target, Counters& counters) noexcept {
  for (std::size_t next = 0; next < run_count_;) {
    const int sent = sendmmsg(target.socket, &headers_[next], run_count_ - next, MSG_DONTWAIT | MSG_NOSIGNAL);
    for (int i = 0; i < sent; i++, next++) {
      counters.tx.add(Tx::packets, runs_[next].count);
      counters.tx.add(Tx::bytes, runs_[next].bytes);
    }
    if (sent < 0 && !retry(target, runs_[next], counters)) next++;
  }
}

bool UdpSender::retry(const UdpTarget& target, const Run& run, Counters& counters) noexcept {
  switch (errno) {
    case EINTR:
      return true;
    case EAGAIN:
      if (wait_writable(target.socket)) return true;
      counters.tx.add(Tx::blocked, run.count);
      return false;
    case ENOBUFS:
      counters.tx.add(Tx::no_buffers, run.count);
      return false;
    case EIO:  // the network device cannot checksum segments: turn UDP_SEGMENT off for good
      gso_ = gso_ && run.count == 1;
      [[fallthrough]];
    case EINVAL:
    case EMSGSIZE:  // a segment exceeds the path MTU: single datagrams may be fragmented
      if (run.count > 1) {
        send_singly(target, run, counters);
        return false;
      }
      [[fallthrough]];
    default:
      counters.tx.add(Tx::refused, run.count);
      return false;
  }
}

void UdpSender::send_singly(const UdpTarget& target, const Run& run, Counters& counters) noexcept {
  counters.tx.add(Tx::gso_refused, run.count);
  for (std::uint32_t at = 0; at < run.bytes; at += run.segment_bytes) {
    const std::size_t bytes = std::min<std::size_t>(run.segment_bytes, run.bytes - at);
    ssize_t sent;
    do {
      sent = sendto(target.socket, run.data + at, bytes, MSG_DONTWAIT | MSG_NOSIGNAL, &target.to.any,
                    target.to.size());
    } while (sent < 0 && (errno == EINTR || (errno == EAGAIN && wait_writable(target.socket))));
    if (sent < 0) {
      counters.tx.add(Tx::refused);
      continue;
    }
    counters.tx.add(Tx::packets);
    counters.tx.add(Tx::bytes, bytes);
  }
}

}  // namespace nsm::io
