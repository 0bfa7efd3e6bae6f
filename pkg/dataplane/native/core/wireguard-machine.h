// One underlay: the node's responder key, its peers, and the way of a handshake
// message to the peer that it is for.
//
//   datagram -> layout -> mac1 -> load: rate limit, cookie -> peer, by our
//   receiver index, or by the static key inside the initiation -> Peer
//
// INVARIANT: nothing is sent to whom has not shown at least mac1, and under
// load nothing but a cookie reply to whom has not shown its address.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "decisions.h"
#include "handled.h"
#include "peer.h"

namespace nsm {

enum class AddPeer : std::uint8_t {
  kAdded,
  kDuplicateKey,  // another peer of this device initiates with the same key
  kBadKey,        // a low-order or own public key: no shared secret is possible
};
std::string_view explain(AddPeer result) noexcept;  // a sentence for who asked

// Owner: the control thread.
class WireguardMachine {
 public:
  WireguardMachine(const SecretKey& private_key, MachineParts parts);
  ~WireguardMachine();
  WireguardMachine(const WireguardMachine&) = delete;
  WireguardMachine& operator=(const WireguardMachine&) = delete;

  const Key& public_key() const noexcept;

  struct Added {
    Peer* peer = nullptr;
    AddPeer result = AddPeer::kAdded;
  };
  // `saved`, when given, outlives the peer; receive keys found in it that are
  // still valid are installed at once. Call Peer::rehandshake afterwards.
  Added add_peer(const PeerConfig& config, SavedPeer* saved, Now now);
  // Drops its keys (Decisions::drop_*) and destroys it. Keys in its SavedPeer are wiped.
  void remove_peer(Peer& peer) noexcept;

  // A datagram of message type 1, 2 or 3; anything else is kMalformed.
  Handled receive(ConstBytes datagram, const SocketAddress& from, Now now) noexcept;
  // The first authentic packet came for a ReceiveKey that awaited confirmation.
  void confirm(std::uint32_t local_index, const SocketAddress& from, Now now) noexcept;

  // Does what is due and returns when to call again (CLOCK_BOOTTIME ns; UINT64_MAX: no need).
  // Call it after other events too, once for as many as came together: they may move the deadline.
  std::uint64_t tick(Now now) noexcept;

  // The handshake queue is at least one eighth full: ask for cookies for the next second.
  void under_load(Now now) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The cheap test for the ingress thread: may this initiation enter the queue?
// 148 bytes, mac1 made with `node_public`. Copyable, without state.
class Mac1Filter {
 public:
  explicit Mac1Filter(const Key& node_public) noexcept;
  bool passes(ConstBytes initiation) const noexcept;

 private:
  Key mac1_key_;
};

}  // namespace nsm
