#include "holder/relay.h"

#include <errno.h>
#include <sys/epoll.h>

#include <algorithm>

namespace nsm::holder {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

bool is_temporary(int error) { return error == EAGAIN || error == EINTR; }

}  // namespace

Relay::Relay(EventLoop& loop, Ends ends, Listener listener)
    : loop_(loop),
      ends_(std::move(ends)),
      listener_(std::move(listener)),
      up_{ends_.peer.get(), ends_.nsmd.get(), {}},
      down_{ends_.nsmd.get(), ends_.peer.get(), {}} {}

Relay::~Relay() {
  loop_.forget(ends_.peer.get());
  loop_.forget(ends_.nsmd.get());
}

void Relay::start(protocol::View first) {
  up_.pending.assign(first.begin(), first.end());
  for (const int fd : {ends_.peer.get(), ends_.nsmd.get()}) {
    loop_.watch(fd, 0, [this, fd](std::uint32_t events) { on_ready(fd, events); });
  }
  update();
}

void Relay::on_ready(int fd, std::uint32_t events) {
  if (over_) return;
  Direction& from = fd == up_.from ? up_ : down_;
  Direction& to = fd == up_.to ? up_ : down_;
  const bool hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if ((hung_up || (events & EPOLLIN)) && !read_some(from)) return end();
  if ((hung_up || (events & EPOLLOUT)) && !write_some(to)) return end();
  update();
}

// Both return false: the connection is broken.
bool Relay::read_some(Direction& direction) {
  static std::vector<std::uint8_t> buffer(kReadBytes);
  if (direction.ended || direction.backlog() >= kMaxPendingBytes) return true;
  const std::size_t room = std::min(kReadBytes, kMaxPendingBytes - direction.backlog());
  Received got = receive_with_fds(direction.from, std::span(buffer).first(room));
  if (got.size < 0) return is_temporary(errno);
  if (&direction == &up_ && (got.truncated || !got.fds.empty())) listener_.on_descriptors(got);
  direction.ended = got.size == 0;
  direction.pending.insert(direction.pending.end(), buffer.begin(), buffer.begin() + got.size);
  return write_some(direction);
}

bool Relay::write_some(Direction& direction) {
  while (direction.backlog() > 0) {
    const protocol::View rest = protocol::View(direction.pending).subspan(direction.sent);
    const ssize_t sent = send(direction.to, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && !is_temporary(errno)) return false;
    if (sent < 0) break;
    direction.sent += sent;
  }
  direction.pending.erase(direction.pending.begin(), direction.pending.begin() + direction.sent);
  direction.sent = 0;
  if (direction.pending.empty()) direction.pending.shrink_to_fit();  // an idle connection needs no buffer
  if (direction.ended && direction.pending.empty() && !direction.closed) {
    direction.closed = true;
    shutdown(direction.to, SHUT_WR);
  }
  return true;
}

void Relay::update() {
  if (up_.closed && down_.closed) return end();
  const auto wanted = [](const Direction& from, const Direction& to) -> std::uint32_t {
    const bool reads = !from.ended && from.backlog() < kMaxPendingBytes;
    return (reads ? EPOLLIN : 0u) | (to.backlog() > 0 ? EPOLLOUT : 0u);
  };
  loop_.change(ends_.peer.get(), wanted(up_, down_));
  loop_.change(ends_.nsmd.get(), wanted(down_, up_));
}

void Relay::end() {
  over_ = true;
  loop_.forget(ends_.peer.get());
  loop_.forget(ends_.nsmd.get());
  listener_.on_end();
}

}  // namespace nsm::holder
