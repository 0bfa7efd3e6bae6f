// The engine's socket to the holder: one netlink-framed message per packet, with a
// descriptor where the message is about one.
#pragma once

#include <optional>

#include "io/fd.h"
#include "protocol/message.h"

namespace nsm::io {

struct HolderMessage {
  protocol::Frame frame;  // valid until the next receive
  Fd fd;                  // the socket of an underlay or the device of a port
};

class HolderSocket {
 public:
  explicit HolderSocket(Fd socket);

  enum class Received { kMessage, kNothing, kClosed };
  // Never waits. Malformed packets are skipped: only the holder can send here.
  Received receive(HolderMessage& message);

  // Waits while the holder is slow. This cannot deadlock: the holder never waits for the engine.
  void send(protocol::View message);

  int fd() const noexcept { return socket_.get(); }

 private:
  Fd socket_;
  protocol::Bytes buffer_;
};

}  // namespace nsm::io
