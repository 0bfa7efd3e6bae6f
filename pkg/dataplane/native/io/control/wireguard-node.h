// One WireGuard underlay on the control thread: the protocol machine, and what the engine
// does when the machine decides.
#pragma once

#include <sys/types.h>

#include <unordered_map>

#include "core/wireguard-machine.h"
#include "io/control/data-threads.h"
#include "io/control/link-quality-monitor.h"
#include "io/holder-socket.h"
#include "io/notes.h"

namespace nsm::io {

class WireguardPort;

// Owner: the control thread.
class WireguardNode final : private Decisions {
 public:
  struct Parts {
    const AeadSuite& suite;
    Random& random;
    ReceiverIndexes& indexes;
    Opener& opener;
    DataThreads threads;
    HolderSocket& holder;  // for events
  };
  // The underlay's id and socket.
  struct Place {
    std::string_view id;
    int socket;
  };
  // `place` outlives it.
  WireguardNode(const SecretKey& key, const Place& place, const Parts& parts);

  WireguardMachine& machine() noexcept { return machine_; }
  const WireguardMachine& machine() const noexcept { return machine_; }
  LinkQualityMonitor& link_quality() noexcept { return link_quality_; }
  const LinkQualityMonitor& link_quality() const noexcept { return link_quality_; }
  bool has_key(const SecretKey& key) const noexcept { return equal_constant_time(key_, key); }

  // The port whose peer has this tag: to be added before the peer, and removed after it.
  void add_port(std::uint64_t tag, WireguardPort& port) { ports_[tag] = &port; }
  void remove_port(std::uint64_t tag) noexcept { ports_.erase(tag); }

  void on_note(const Note& note, Now now);
  // Packets of this port, or of any port, may be waiting for a key.
  void want_session(std::uint64_t tag, Now now) noexcept;
  void want_all_sessions(Now now) noexcept;
  // After a restart: gets new sending keys for all restored sessions.
  void resume(Now now) noexcept;
  // Like WireguardMachine::tick.
  std::uint64_t tick(Now now);

  std::uint64_t handled(Handled kind) const noexcept { return handled_[static_cast<std::size_t>(kind)]; }

 private:
  void send(const SocketAddress& to, ConstBytes datagram) noexcept override;
  void install_receive(Peer& peer, std::unique_ptr<ReceiveKey> key) noexcept override;
  void drop_receive(Peer& peer, std::uint32_t local_index) noexcept override;
  void install_send(Peer& peer, std::unique_ptr<SendKey> key) noexcept override;
  void drop_send(Peer& peer) noexcept override;
  void send_keepalive(Peer& peer) noexcept override;
  void endpoint_moved(Peer& peer, const SocketAddress& to) noexcept override;
  void session_up(Peer& peer) noexcept override;
  void session_down(Peer& peer) noexcept override;
  void handshake_given_up(Peer& peer) noexcept override;

  WireguardPort& port_of(const Peer& peer) const { return *ports_.at(peer.tag()); }

  const int socket_;
  const SecretKey key_;
  Opener& opener_;
  DataThreads threads_;
  HolderSocket& holder_;
  std::unordered_map<std::uint64_t, WireguardPort*> ports_;
  std::array<std::uint64_t, kHandledKinds> handled_ = {};
  LinkQualityMonitor link_quality_;
  WireguardMachine machine_;  // last, because its destructor still calls Decisions
};

}  // namespace nsm::io
