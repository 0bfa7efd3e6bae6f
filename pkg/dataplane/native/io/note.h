// What the ingress thread tells the control thread. The queue is bounded: when
// it is full handshakes are dropped and counted, and the other notes are made
// again by the next packet.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

#include "core/bytes.h"
#include "core/environment.h"
#include "core/path-message.h"
#include "io/doorbell.h"
#include "io/spsc-queue.h"
#include "io/transport-message.h"

namespace nsm::io {

struct HandshakeNote {
  Endpoint from;
  std::uint8_t size = 0;
  std::array<std::uint8_t, kInitiationBytes> bytes;
  ConstBytes datagram() const noexcept { return {bytes.data(), size}; }
};
struct ConfirmNote {   // the first authentic packet under a key that we answered for
  std::uint64_t port;  // WireguardIngress::tag
  std::uint32_t local_index;
  Endpoint from;
};
struct MovedNote {     // authentic packets come from another address
  std::uint64_t port;  // WireguardIngress::tag
  Endpoint from;
};
struct PathNote {      // a probe to echo, or an echo
  std::uint64_t port;  // WireguardIngress::tag
  PathMessage message;
};

struct Note {
  std::uint32_t underlay = 0;  // IngressUnderlay::number
  std::variant<std::monostate, HandshakeNote, ConfirmNote, MovedNote, PathNote> what;
};

// Producer: the ingress thread. Consumer: the control thread, which `bell` wakes.
class Notes {
 public:
  static constexpr std::size_t kCapacity = 1024;
  explicit Notes(const Doorbell& bell) : queue_(kCapacity), bell_(bell) {}

  bool push(Note&& note) noexcept {
    if (!queue_.push(std::move(note))) return false;
    bell_.ring();
    return true;
  }
  bool pop(Note& note) noexcept { return queue_.pop(note); }
  std::size_t size() const noexcept { return queue_.size(); }

 private:
  SpscQueue<Note> queue_;
  const Doorbell& bell_;
};

}  // namespace nsm::io
