// Relays the bytes of one connection between a local peer and nsmd in both directions,
// unchanged. A slow reader slows down its writer (back-pressure). When one direction
// ends, the other stays open (half-close).
#pragma once

#include <functional>
#include <vector>

#include "holder/event-loop.h"
#include "holder/unix-socket.h"

namespace nsm::holder {

class Relay {
 public:
  static constexpr std::size_t kMaxPendingBytes = 256 * 1024;  // in each direction

  struct Ends {
    Fd peer;
    Fd nsmd;
  };
  struct Listener {
    std::function<void(Received& message)>
        on_descriptors;            // the peer passed descriptors; nsmd never gets them
    std::function<void()> on_end;  // called once; destroy the relay later
  };

  // start() sends `first` to nsmd before any byte of the peer.
  Relay(EventLoop& loop, Ends ends, Listener listener);
  ~Relay();
  void start(protocol::View first);

 private:
  struct Direction {
    int from;
    int to;
    std::vector<std::uint8_t> pending;
    std::size_t sent = 0;  // of pending
    bool ended = false;    // `from` has sent its last byte
    bool closed = false;   // and `to` was told so (SHUT_WR)
    std::size_t backlog() const { return pending.size() - sent; }
  };

  void on_ready(int fd, std::uint32_t events);
  bool read_some(Direction& direction);
  bool write_some(Direction& direction);
  void update();
  void end();

  EventLoop& loop_;
  Ends ends_;
  Listener listener_;
  Direction up_;    // peer to nsmd
  Direction down_;  // nsmd to peer
  bool over_ = false;
};

}  // namespace nsm::holder
