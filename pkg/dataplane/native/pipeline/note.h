// What the stages of ingress tell the control thread.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

#include "core/bytes.h"
#include "core/environment.h"
#include "core/messages.h"
#include "core/probe-message.h"

namespace nsm {

struct HandshakeNote {
  SocketAddress from;
  std::uint8_t size = 0;
  std::array<std::uint8_t, kMaxHandshakeBytes> bytes;
  ConstBytes datagram() const noexcept { return {bytes.data(), size}; }
};
struct ConfirmNote {   // the first authentic packet of a session in which we were the responder
  std::uint64_t port;  // WireguardIngress::tag
  std::uint32_t local_index;
  SocketAddress from;
};
struct MovedNote {     // authentic packets come from another address
  std::uint64_t port;  // WireguardIngress::tag
  SocketAddress from;
};
struct ProbeNote {     // a probe to echo, or an echo
  std::uint64_t port;  // WireguardIngress::tag
  ProbeMessage message;
};

struct Note {
  std::uint32_t underlay = 0;  // its number
  std::variant<std::monostate, HandshakeNote, ConfirmNote, MovedNote, ProbeNote> what;
};

// Where the stages put their notes. Its room is bounded: when it is full, handshakes are
// dropped and counted; the other notes are repeated by the next packet.
class NoteSink {
 public:
  virtual ~NoteSink() = default;
  // False: there was no room.
  virtual bool push(Note&& note) noexcept = 0;
  virtual bool is_half_full() const noexcept = 0;
};

}  // namespace nsm
