// The protocol machine of one WireGuard peer: handshakes, timers, key rotation.
//
//            want_session / rehandshake / rekey        response consumed
//   idle ----------------------------------> handshaking ----------------> established
//    ^                                        |   ^  | 90 s                   |    |
//    |                                        |   |  +--> idle (given up)     |    |
//    |   initiation consumed, then first data |   +---------------------------+    |
//    |   of the initiator (Device::confirm)   +-> established     15 s silent      |
//    +-----------------------------------------------------------------------------+
//                               180 s: keys erased
//
// The two directions are independent: an initiation of the peer neither stops
// nor is stopped by ours. When both sides initiate at once both handshakes
// complete, each side sends with the session it started and receives on both,
// so nothing has to wait for a tie to be broken.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "activity.h"
#include "aead.h"
#include "bytes.h"
#include "environment.h"

namespace nsm {

struct SavedPeer;

struct PeerConfig {
  // The key this side initiates with; absent: the device's own key.
  std::optional<SecretKey> initiator_private;
  Key remote_responder{};  // the peer's key when it answers
  Key remote_initiator{};  // the peer's key when it initiates; a foreign peer: the same
  SecretKey preshared;     // all zero: none
  AeadAlgorithm algorithm =
      AeadAlgorithm::kChaCha20Poly1305;  // of data; handshakes are always ChaCha20-Poly1305
  Endpoint endpoint;                     // not known: we can only answer
  bool roaming = false;                  // the endpoint follows authenticated packets; false: pinned
  std::uint16_t keepalive_seconds = 0;   // persistent keepalive; 0: off
  std::uint64_t tag = 0;                 // the engine's own name for it
};

// Numbered as SessionState in protocol.h.
enum class SessionState : std::uint8_t { kIdle = 0, kHandshaking = 1, kEstablished = 2, kReceiveOnly = 3 };

// Owner: the control thread. Made and destroyed by Device.
class Peer {
 public:
  virtual ~Peer() = default;

  virtual std::uint64_t tag() const noexcept = 0;
  virtual Activity& activity() noexcept = 0;  // for the data threads; lives as long as the peer
  virtual SessionState state(Now now) const noexcept = 0;
  virtual const Endpoint& endpoint() const noexcept = 0;
  // Since the last completed handshake; absent: none yet.
  virtual std::optional<std::uint64_t> handshake_age_ns(Now now) const noexcept = 0;

  // Data waits and there is no usable sending key. Does nothing while a handshake runs.
  virtual void want_session(Now now) noexcept = 0;
  // Starts a handshake now, whatever the timers say: after a restart, a move, or on demand.
  virtual void rehandshake(Now now) noexcept = 0;
  // An authenticated data packet came from there. Ignored where the endpoint is pinned.
  virtual void roam(const Endpoint& from) noexcept = 0;

  // Changes in place. Everything else of PeerConfig: remove the peer and add it again.
  virtual void set_endpoint(const Endpoint& to) noexcept = 0;
  virtual void set_roaming(bool roaming) noexcept = 0;
  virtual void set_keepalive(std::uint16_t seconds) noexcept = 0;
};

}  // namespace nsm
