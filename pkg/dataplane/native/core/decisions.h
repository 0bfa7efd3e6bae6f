// What the protocol machine of a peer decides. The engine does it.
#pragma once

#include <cstdint>
#include <memory>

#include "bytes.h"
#include "environment.h"
#include "keypair.h"

namespace nsm {

class Peer;

// Called on the control thread, from inside the methods of WireguardMachine and Peer;
// implementations must not call back into them.
class Decisions {
 public:
  virtual ~Decisions() = default;

  // Send a handshake or cookie message. `to` is not always the peer's endpoint.
  virtual void send(const SocketAddress& to, ConstBytes datagram) noexcept = 0;

  // Accept data with this receiver index. Comes before the message that makes the peer use it.
  virtual void install_receive(Peer& peer, std::unique_ptr<ReceiveKey> key) noexcept = 0;
  virtual void drop_receive(Peer& peer, std::uint32_t local_index) noexcept = 0;

  // Send data with this key from now on, in place of the former.
  virtual void install_send(Peer& peer, std::unique_ptr<SendKey> key) noexcept = 0;
  virtual void drop_send(Peer& peer) noexcept = 0;

  // Seal an empty packet with the sending key. After install_send of an
  // initiator: only when no data waits, since any packet confirms the key.
  virtual void send_keepalive(Peer& peer) noexcept = 0;

  virtual void endpoint_moved(Peer& peer, const SocketAddress& to) noexcept = 0;
  virtual void session_up(Peer& peer) noexcept = 0;
  // No answer for 15 s while there is traffic. Handshakes go on.
  virtual void session_down(Peer& peer) noexcept = 0;
  // 90 s without an answer: packets that wait for a key are to be dropped. The
  // next Peer::want_session starts again.
  virtual void handshake_given_up(Peer& peer) noexcept = 0;
};

}  // namespace nsm
