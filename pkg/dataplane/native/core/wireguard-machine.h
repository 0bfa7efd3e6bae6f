// The WireGuard protocol machine of one underlay: the node's responder key, the peers,
// and the dispatch of handshake messages to them.
//
//   datagram -> layout -> mac1 -> under load: mac2, rate limit -> Peer, found by our
//   receiver index or by the static key inside the initiation
//
// INVARIANT: we never reply to a sender without a valid mac1. Under load, a sender
// without a valid mac2 gets nothing but a cookie reply.
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
  kDuplicateKey,  // another peer of this machine initiates with the same key
  kBadKey,        // a public key of low order, or our own: no shared secret can be agreed
};
std::string_view explain(AddPeer result) noexcept;  // a sentence for people

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
  // `saved` may be null and outlives the peer. Receive keys in it that are still valid
  // are installed at once; call Peer::rehandshake afterwards.
  Added add_peer(const PeerConfig& config, SavedPeer* saved, Now now);
  // Drops the peer's keys (Decisions::drop_*), wipes those in its SavedPeer, and destroys it.
  void remove_peer(Peer& peer) noexcept;

  // Takes a handshake message (type 1, 2 or 3). Anything else is kMalformed.
  Handled receive(ConstBytes datagram, const SocketAddress& from, Now now) noexcept;
  // The first authentic packet has arrived for a ReceiveKey that awaited confirmation.
  void confirm(std::uint32_t local_index, const SocketAddress& from, Now now) noexcept;

  // Does what is due and returns when to call again (CLOCK_BOOTTIME ns; UINT64_MAX: no need).
  // To be called after other events, too, because they may move the deadline; once is
  // enough for several events.
  std::uint64_t tick(Now now) noexcept;

  // The handshake queue is at least one eighth full: require mac2 for the next second.
  void under_load(Now now) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The cheap check on the ingress thread before an initiation enters the queue: its
// length, and mac1 for `node_public`. Has no state.
class Mac1Filter {
 public:
  explicit Mac1Filter(const Key& node_public) noexcept;
  bool passes(ConstBytes initiation) const noexcept;

 private:
  Key mac1_key_;
};

}  // namespace nsm
