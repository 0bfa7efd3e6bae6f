#include "holder/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

namespace nsm::holder {
namespace {

Fd open_spare() { return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Acceptor::Acceptor(EventLoop& loop, Counters& counters, Fd listener)
    : loop_(loop), counters_(counters), listener_(std::move(listener)), spare_(open_spare()) {}

void Acceptor::serve(std::function<void(Fd)> on_connection) {
  on_connection_ = std::move(on_connection);
  loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
}

void Acceptor::accept_one() {
  Fd connection;
  const Status status = accept_unix(listener_.get(), connection);
  if (status.ok()) return on_connection_(std::move(connection));
  if (status.error != EMFILE && status.error != ENFILE) return;
  // A connection that cannot be accepted would make the loop spin.
  counters_.add(Count::refused_descriptors);
  spare_.reset();
  accept_unix(listener_.get(), connection);
  connection.reset();
  spare_ = open_spare();
}

bool may_control(const Fd& connection, uid_t daemon_uid, Counters& counters) {
  ucred peer;
  if (peer_credentials(connection.get(), peer) && (peer.uid == daemon_uid || peer.uid == 0)) return true;
  counters.add(Count::refused_peer);
  return false;
}

}  // namespace nsm::holder
