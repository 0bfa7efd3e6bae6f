// Nodes with a WireguardMachine each, a network between them that tests can disturb, and a clock
// that only tests advance. A Node uses the keys as the engine's data threads do, one packet at a
// time.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/wireguard-machine.h"
#include "seeded-random.h"

namespace nsm::test {

inline constexpr std::uint64_t kSecond = kNsPerSecond;

struct Datagram {
  SocketAddress from;
  SocketAddress to;
  std::vector<std::uint8_t> bytes;
  std::uint8_t type() const { return bytes.empty() ? 0 : bytes[0]; }
};

class Node final : public Decisions {
 public:
  Node(std::uint64_t seed, SocketAddress at, const SecretKey& key);

  // What happened.
  int ups = 0, downs = 0, given_up = 0, keepalives = 0;
  std::array<int, kHandledKinds> handled = {};
  int count(Handled what) const { return handled[static_cast<std::size_t>(what)]; }
  std::vector<std::string> delivered;
  std::vector<SocketAddress> moves;
  std::deque<Datagram> outbox;
  std::map<std::uint32_t, std::pair<Peer*, std::unique_ptr<ReceiveKey>>> receiving;
  std::map<Peer*, std::unique_ptr<SendKey>> sending;

  // False if there is no usable sending key; a handshake is then requested.
  bool send_data(Peer& peer, const std::string& text, Now now);
  void take(const Datagram& datagram, Now now);

  void send(const SocketAddress& to, ConstBytes bytes) noexcept override;
  void install_receive(Peer& peer, std::unique_ptr<ReceiveKey> key) noexcept override;
  void drop_receive(Peer& peer, std::uint32_t local_index) noexcept override;
  void install_send(Peer& peer, std::unique_ptr<SendKey> key) noexcept override;
  void drop_send(Peer& peer) noexcept override;
  void send_keepalive(Peer& peer) noexcept override;
  void endpoint_moved(Peer& peer, const SocketAddress& to) noexcept override;
  void session_up(Peer&) noexcept override { ups++; }
  void session_down(Peer&) noexcept override { downs++; }
  void handshake_given_up(Peer&) noexcept override { given_up++; }

  SocketAddress at;
  Now clock;  // the time of the last event, because decisions carry none
  SeededRandom random;
  AeadSuite suite;
  ReceiverIndexes indexes;
  WireguardMachine machine;

 private:
  void seal(Peer& peer, const std::string& text);
  void take_data(const Datagram& datagram, Now now);
};

// Two nodes with one wire, as nsmesh sets it up: every wire initiates with its own key.
class World {
 public:
  explicit World(std::uint64_t seed = 1);

  struct Wire {
    SecretKey preshared_a{}, preshared_b{};
    bool roaming = false;
    bool same_key = false;  // like a foreign WireGuard peer: one key for both roles
    std::uint16_t keepalive_seconds = 0;
    AeadAlgorithm algorithm = AeadAlgorithm::kChaCha20Poly1305;
    SavedPeer* saved_a = nullptr;
    SavedPeer* saved_b = nullptr;
  };
  void connect(const Wire& wire);
  void connect() { connect(Wire()); }

  // Delivers datagrams until none is in flight; those for which `drops` returns true are lost.
  void deliver();
  void advance(std::uint64_t ns);
  // Establishes a session by sending data from a, and checks that the data arrives.
  bool establish();
  bool exchange(const std::string& text);  // both ways

  Now now;
  SeededRandom random;
  SecretKey key_a, key_b, wire_key_a, wire_key_b;
  std::unique_ptr<Node> a, b;
  Peer* to_b = nullptr;  // of a
  Peer* to_a = nullptr;  // of b
  std::function<bool(const Datagram&)> drops;
  std::vector<Datagram> seen;  // every datagram that was sent, as an eavesdropper would record it
  std::vector<Datagram> seen_of_type(std::uint8_t type) const;

  PeerConfig config_a(const Wire& wire) const;
  PeerConfig config_b(const Wire& wire) const;
};

}  // namespace nsm::test
