#include "holder/control.h"

#include <errno.h>
#include <sys/epoll.h>

namespace nsm::holder {

using namespace protocol;

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

bool is_temporary(int error) { return error == EAGAIN || error == EINTR; }

}  // namespace

ControlConnection::~ControlConnection() {
  for (const auto& [ns, socket] : watches) loop_.forget(socket.get());
  loop_.forget(socket_.get());
}

void ControlConnection::send(View message) {
  if (broken_) return;
  outgoing_.insert(outgoing_.end(), message.begin(), message.end());
  if (write_some() && outgoing_.size() - sent_ <= kMaxPendingBytes) return;
  broken_ = true;
  shutdown(socket_.get(), SHUT_RDWR);  // the loop then reports the hang-up
}

bool ControlConnection::write_some() {
  while (sent_ < outgoing_.size()) {
    const View rest = View(outgoing_).subspan(sent_);
    const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && !is_temporary(errno)) return false;
    if (sent < 0) break;
    sent_ += sent;
  }
  if (sent_ == outgoing_.size()) {
    outgoing_.clear();
    sent_ = 0;
  }
  loop_.change(socket_.get(), outgoing_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
  return true;
}

bool ControlConnection::read_some() {
  const std::size_t have = incoming_.size();
  incoming_.resize(have + kReadBytes);
  const ssize_t got = recv(socket_.get(), incoming_.data() + have, kReadBytes, MSG_DONTWAIT);
  const int error = errno;
  incoming_.resize(have + std::max<ssize_t>(got, 0));
  return got > 0 || (got < 0 && is_temporary(error));
}

void ControlServer::serve(Fd socket, Handler handler) {
  handler_ = std::move(handler);
  acceptor_ = std::make_unique<Acceptor>(loop_, counters_, std::move(socket));
  acceptor_->serve([this](Fd connection) { admit(std::move(connection)); });
}

void ControlServer::broadcast(View message) {
  for (const auto& [fd, connection] : connections_) {
    if (connection->is_greeted) connection->send(message);
  }
}

void ControlServer::admit(Fd socket) {
  if (!may_control(socket, daemon_uid_, counters_)) return;
  const int fd = socket.get();
  const auto connection = std::make_shared<ControlConnection>(loop_, std::move(socket));
  connections_.insert_or_assign(fd, connection);
  const std::weak_ptr<ControlConnection> weak = connection;
  loop_.watch(fd, EPOLLIN, [this, weak](std::uint32_t events) {
    if (const ConnectionRef held = weak.lock()) on_ready(held, events);
  });
}

void ControlServer::on_ready(const ConnectionRef& connection, std::uint32_t events) {
  if ((events & EPOLLOUT) && !connection->write_some()) return close(connection);
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  const bool more = connection->read_some();
  if (!take_requests(connection) || !more || connection->broken_) close(connection);
}

// False: the stream is malformed, so the next message cannot be found.
bool ControlServer::take_requests(const ConnectionRef& connection) {
  Bytes& bytes = connection->incoming_;
  std::size_t taken = 0;
  Frame frame;
  FrameState state;
  while ((state = next_frame(View(bytes).subspan(taken), frame)) == FrameState::kComplete) {
    taken += frame.bytes.size();
    handler_(connection, frame);
  }
  bytes.erase(bytes.begin(), bytes.begin() + taken);
  if (state == FrameState::kMalformed) counters_.add(Count::malformed);
  return state != FrameState::kMalformed;
}

void ControlServer::close(const ConnectionRef& connection) {
  connection->broken_ = true;
  loop_.forget(connection->socket_.get());
  connections_.erase(connection->socket_.get());
}

}  // namespace nsm::holder
