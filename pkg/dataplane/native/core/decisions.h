// What the protocol machine decides and the engine carries out.
#pragma once

#include <cstdint>
#include <memory>

#include "bytes.h"
#include "environment.h"
#include "keypair.h"

namespace nsm {

class Peer;

// Called on the control thread from within methods of WireguardMachine and Peer.
// Implementations must not call back into these.
class Decisions {
 public:
  virtual ~Decisions() = default;

  // Send a handshake message or a cookie reply. `to` need not be the endpoint of a peer.
  virtual void send(const SocketAddress& to, ConstBytes datagram) noexcept = 0;

  // Accept data messages with the receiver index of this key. Called before the handshake
  // message is sent that makes the peer use it.
  virtual void install_receive(Peer& peer, std::unique_ptr<ReceiveKey> key) noexcept = 0;
  virtual void drop_receive(Peer& peer, std::uint32_t local_index) noexcept = 0;

  // Send data with this key from now on, instead of the previous one.
  virtual void install_send(Peer& peer, std::unique_ptr<SendKey> key) noexcept = 0;
  virtual void drop_send(Peer& peer) noexcept = 0;

  // Send a keepalive, unless data is sent right now. An initiator calls this after
  // install_send, because the first packet of any kind confirms the key.
  virtual void send_keepalive(Peer& peer) noexcept = 0;

  virtual void endpoint_moved(Peer& peer, const SocketAddress& to) noexcept = 0;
  // Peer::verdict() has changed.
  virtual void session_up(Peer& peer) noexcept = 0;
  virtual void session_down(Peer& peer) noexcept = 0;
  // No answer to handshakes for 90 s: drop the packets that wait for a key. The next
  // Peer::want_session starts over.
  virtual void handshake_given_up(Peer& peer) noexcept = 0;
};

}  // namespace nsm
