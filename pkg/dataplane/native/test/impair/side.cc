#include "side.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>

#include <charconv>
#include <system_error>

namespace nsm::impair {
namespace {

constexpr int kBufferBytes = 32 << 20;
constexpr int kFullSocketWaitMs = 10;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

std::size_t header_bytes(const io::Sockaddr& address) noexcept {
  return (address.any.sa_family == AF_INET ? 20 : 40) + 8;
}

}  // namespace

Side::Side(const Places& places)
    : listen_(places.listen),
      peer_(places.peer),
      learns_(!places.peer),
      memory_(std::make_unique<std::uint8_t[]>(kBatch * kMaxDatagramBytes)) {
  open(listen_);
}

void Side::open(const io::Sockaddr& address) {
  io::Fd fresh(socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fresh) fail("cannot open a UDP socket");
  for (const int option : {SO_RCVBUF, SO_SNDBUF, SO_RCVBUFFORCE, SO_SNDBUFFORCE})
    setsockopt(fresh.get(), SOL_SOCKET, option, &kBufferBytes, sizeof kBufferBytes);
  if (bind(fresh.get(), &address.any, address.size()) != 0) fail("cannot bind a UDP socket");
  socket_ = std::move(fresh);
}

void Side::rebind() {
  overrun_before_ = overrun();
  io::Sockaddr address = listen_;
  address.v4.sin_port = 0;  // at the same place in sockaddr_in6
  open(address);
}

std::uint64_t Side::overrun() const noexcept {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t length = sizeof info;
  getsockopt(socket_.get(), SOL_SOCKET, SO_MEMINFO, info.data(), &length);
  return overrun_before_ + info[SK_MEMINFO_DROPS];
}

bool Side::receive(Link& link, std::uint64_t now_ns) {
  for (std::size_t i = 0; i < kBatch; i++) {
    parts_[i] = {memory_.get() + i * kMaxDatagramBytes, kMaxDatagramBytes};
    headers_[i].msg_hdr = {&from_[i], sizeof from_[i], &parts_[i], 1, nullptr, 0, 0};
  }
  const int count = recvmmsg(socket_.get(), headers_.data(), kBatch, MSG_DONTWAIT, nullptr);
  for (int i = 0; i < count; i++) {
    if (learns_) peer_ = from_[i];
    const std::span bytes(static_cast<const std::uint8_t*>(parts_[i].iov_base), headers_[i].msg_len);
    link.take(bytes, header_bytes(from_[i]), now_ns);
  }
  return count > 0;
}

void Side::send(Link& link, std::uint64_t now_ns) {
  for (std::size_t count = kBatch; count == kBatch;) {
    count = 0;
    while (count < kBatch && link.line().take(now_ns, leaving_[count])) count++;
    if (peer_)
      transmit(link, count);
    else
      link.statistics().no_peer += count;
  }
}

void Side::transmit(Link& link, std::size_t count) {
  for (std::size_t i = 0; i < count; i++) {
    parts_[i] = {leaving_[i].bytes.data(), leaving_[i].bytes.size()};
    headers_[i].msg_hdr = {&peer_->any, peer_->size(), &parts_[i], 1, nullptr, 0, 0};
  }
  for (std::size_t next = 0; next < count;) {
    const int sent = sendmmsg(socket_.get(), &headers_[next], count - next, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      next += static_cast<std::size_t>(sent);
      link.statistics().sent += static_cast<std::uint64_t>(sent);
      continue;
    }
    pollfd writable{socket_.get(), POLLOUT, 0};
    if (errno == EINTR || (errno == EAGAIN && poll(&writable, 1, kFullSocketWaitMs) == 1)) continue;
    link.statistics().refused++;
    next++;
  }
}

std::optional<io::Sockaddr> read_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  const bool bracketed = text[0] == '[' && text[colon - 1] == ']';
  const std::string host = bracketed ? text.substr(1, colon - 2) : text.substr(0, colon);
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data() + colon + 1, end, port).ptr != end) return std::nullopt;
  io::Sockaddr address;
  address.v4.sin_port = htons(port);
  address.any.sa_family = bracketed ? AF_INET6 : AF_INET;
  void* const place = bracketed ? static_cast<void*>(&address.v6.sin6_addr) : &address.v4.sin_addr;
  if (inet_pton(address.any.sa_family, host.c_str(), place) != 1) return std::nullopt;
  return address;
}

}  // namespace nsm::impair
