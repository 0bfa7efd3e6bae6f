// Handshakes of two nodes over a network that loses and delays messages, and changes addresses.
#include "check.h"
#include "world.h"

namespace nsm::test {
namespace {

TEST("a handshake takes one round trip, and data goes both ways at once") {
  World w;
  w.connect();
  CHECK(w.establish());
  CHECK(w.exchange("hello"));
  CHECK(w.seen_of_type(1).size() == 1 && w.seen_of_type(2).size() == 1);
  CHECK(w.a->ups == 1 && w.b->ups == 1);
}

TEST("a peer with one key for both roles is plain WireGuard, and either side may initiate") {
  for (const bool b_begins : {false, true}) {
    World w;
    w.connect({.same_key = true});
    if (b_begins)
      w.to_a->rehandshake(w.now);
    else
      w.to_b->rehandshake(w.now);
    w.deliver();
    CHECK(w.exchange("hello"));
  }
}

TEST("the messages have the layout of WireGuard") {
  World w;
  w.connect();
  w.establish();
  const auto initiation = w.seen_of_type(1).at(0).bytes, response = w.seen_of_type(2).at(0).bytes;
  CHECK(initiation.size() == 148 && response.size() == 92);
  for (std::size_t i = 1; i < 4; i++) CHECK(initiation[i] == 0 && response[i] == 0);
  CHECK(std::equal(initiation.begin() + 4, initiation.begin() + 8,
                   response.begin() + 8));            // the initiator's index
  CHECK(w.seen_of_type(4).at(0).bytes.size() == 32);  // keepalive
  w.a->send_data(*w.to_b, std::string(17, 'x'), w.now);
  w.deliver();
  CHECK(w.seen.back().bytes.size() == 16 + 32 + 16);  // padded to a multiple of 16
}

TEST("a lost initiation or response is retransmitted after REKEY_TIMEOUT") {
  for (const std::uint8_t lost : {1, 2}) {
    World w;
    w.connect();
    int losses = 1;
    w.drops = [&](const Datagram& d) { return d.type() == lost && losses-- > 0; };
    CHECK(!w.establish());
    w.advance(kRekeyTimeoutNs - 1);
    CHECK(w.to_b->state(w.now) != SessionState::kEstablished);
    w.advance(kRekeyJitterMaxNs + 1);
    CHECK(w.exchange("hello"));
  }
}

TEST("the next data message makes up for a lost confirmation") {
  World w;
  w.connect();
  int losses = 1;
  w.drops = [&](const Datagram& d) { return d.type() == 4 && losses-- > 0; };
  w.establish();
  CHECK(w.to_b->state(w.now) == SessionState::kEstablished &&
        w.to_a->state(w.now) == SessionState::kReceiveOnly);
  w.a->send_data(*w.to_b, "x", w.now);
  w.deliver();
  CHECK(w.exchange("hello"));
}

TEST("a roaming endpoint follows the first authentic data") {
  World w;
  w.connect({.roaming = true});
  w.establish();
  const SocketAddress moved = address4(0x0a000099, 4444);
  w.a->at = moved;
  w.a->send_data(*w.to_b, "from elsewhere", w.now);
  w.deliver();
  CHECK(w.to_a->endpoint() == moved && w.b->moves == std::vector{moved});
  CHECK(w.exchange("hello"));
}

TEST("when both sides initiate at once, nothing is lost or delayed") {
  World w;
  w.connect();
  w.to_b->rehandshake(w.now);
  w.to_a->rehandshake(w.now);
  w.deliver();
  CHECK(w.to_b->state(w.now) == SessionState::kEstablished &&
        w.to_a->state(w.now) == SessionState::kEstablished);
  for (int i = 0; i < 5; i++) CHECK(w.exchange("hello"));
  CHECK(w.a->ups == 1 && w.b->ups == 1);
}

TEST("data in flight during a rekey is delivered, whether one side, the other or both initiate") {
  World w;
  w.connect();
  w.establish();
  for (int round = 0; round < 30; round++) {
    w.advance(kSecond);
    w.a->delivered.clear();
    w.b->delivered.clear();
    w.a->send_data(*w.to_b, "early", w.now);
    w.b->send_data(*w.to_a, "early", w.now);
    auto late_a = std::exchange(w.a->outbox, {}), late_b = std::exchange(w.b->outbox, {});
    if (round % 3 != 1) w.to_b->rehandshake(w.now);
    if (round % 3 != 0) w.to_a->rehandshake(w.now);
    w.deliver();
    w.a->outbox.insert(w.a->outbox.end(), late_a.begin(), late_a.end());
    w.b->outbox.insert(w.b->outbox.end(), late_b.begin(), late_b.end());
    w.deliver();
    CHECK(w.a->delivered == std::vector<std::string>{"early"});
    CHECK(w.b->delivered == std::vector<std::string>{"early"});
    CHECK(w.exchange("later"));
  }
}

TEST("equal preshared keys do") {
  World w;
  World::Wire wire;
  wire.preshared_a.fill(3);
  wire.preshared_b.fill(3);
  w.connect(wire);
  CHECK(w.establish() && w.exchange("hello"));
}

TEST("timestamps increase even if the wall clock goes back") {
  World w;
  w.connect();
  w.establish();
  w.now.realtime_ns -= 3600 * kSecond;
  w.advance(kSecond);
  w.to_b->rehandshake(w.now);
  w.deliver();
  CHECK(w.b->count(Handled::kAccepted) == 2 && w.b->count(Handled::kReplayed) == 0);
}

TEST("a removed peer leaves no key and no index behind") {
  World w;
  w.connect();
  w.establish();
  w.advance(50 * kNsPerMs);
  w.to_b->rehandshake(w.now);
  w.a->machine.remove_peer(*w.to_b);
  CHECK(w.a->receiving.empty() && w.a->sending.empty());
  CHECK(w.a->machine.tick(w.now) == UINT64_MAX);
  w.deliver();
  CHECK(w.a->count(Handled::kUnknownIndex) == 1);
}

TEST("AES-256-GCM encrypts the data if both sides agreed on it; the handshake is the same") {
  World w;
  w.connect({.algorithm = AeadAlgorithm::kAes256Gcm});
  CHECK(w.establish() && w.exchange("hello"));
}

TEST("300 wires between two nodes have separate keys, and checking mac1 does not get slower") {
  World w;
  w.connect();
  std::vector<Peer*> peers;
  for (int i = 0; i < 300; i++) {
    SecretKey key_a, key_b;
    w.random.fill(key_a);
    w.random.fill(key_b);
    PeerConfig a = w.config_a({}), b = w.config_b({});
    a.initiator_private = key_a, b.initiator_private = key_b;
    a.remote_initiator = X25519Key(key_b).public_key(), b.remote_initiator = X25519Key(key_a).public_key();
    peers.push_back(w.a->machine.add_peer(a, nullptr, w.now).peer);
    CHECK(peers.back() != nullptr && w.b->machine.add_peer(b, nullptr, w.now).peer != nullptr);
  }
  for (Peer* peer : peers) peer->want_session(w.now);
  w.deliver();
  for (Peer* peer : peers) CHECK(w.a->send_data(*peer, "x", w.now));
  w.deliver();
  CHECK(w.b->delivered.size() == 300 && w.b->ups == 300 && w.b->receiving.size() == 300);
}

}  // namespace
}  // namespace nsm::test
