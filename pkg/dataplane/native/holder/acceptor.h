// A listening socket that hands its connections to a callback.
#pragma once

#include <functional>

#include "holder/counters.h"
#include "holder/event-loop.h"
#include "holder/unix-socket.h"

namespace nsm::holder {

class Acceptor {
 public:
  Acceptor(EventLoop& loop, Counters& counters, Fd listener);
  ~Acceptor() { loop_.forget(listener_.get()); }

  void serve(std::function<void(Fd connection)> on_connection);

 private:
  void accept_one();

  EventLoop& loop_;
  Counters& counters_;
  Fd listener_;
  Fd spare_;  // closed to be able to accept, and then close, a connection when descriptors have run out
  std::function<void(Fd)> on_connection_;
};

// Whether the peer may control the holder: nsmd's user or root. A refusal is counted.
bool may_control(const Fd& connection, uid_t daemon_uid, Counters& counters);

}  // namespace nsm::holder
