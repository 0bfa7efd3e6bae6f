// The engine's end of the socket to the holder: one netlink-framed message a
// packet, with a descriptor where the message is about one.
#pragma once

#include <optional>

#include "io/fd.h"
#include "protocol/message.h"

namespace nsm::io {

struct HolderMessage {
  protocol::Frame frame;  // valid until the next receive
  Fd fd;                  // of the underlay's socket or the port's device
};

class HolderSocket {
 public:
  explicit HolderSocket(Fd socket);

  enum class Received { kMessage, kNothing, kClosed };
  // Never waits. A malformed packet is skipped: only the holder can send here.
  Received receive(HolderMessage& message);

  // Waits while the holder is slow: it never waits for the engine.
  void send(protocol::View message);

  int fd() const noexcept { return socket_.get(); }

 private:
  Fd socket_;
  protocol::Bytes buffer_;
};

}  // namespace nsm::io
