// Handshakes with an attacker on the path, who replays, delays, modifies and forges messages.
#include "check.h"
#include "core/messages.h"
#include "world.h"

namespace nsm::test {
namespace {

const SocketAddress kAttacker = address4(0xc6336401, 6666);

TEST("if every handshake message arrives twice there is one session, and nothing is delivered twice") {
  World w;
  w.connect();
  w.establish();
  w.exchange("hello");
  const auto before = w.seen;
  const auto keys_a = w.a->receiving.size(), keys_b = w.b->receiving.size();
  w.a->delivered.clear();
  w.b->delivered.clear();
  for (const Datagram& d : before) (d.to == w.a->at ? w.a : w.b)->take(d, w.now);
  w.deliver();
  CHECK(w.a->delivered.empty() && w.b->delivered.empty());
  CHECK(w.a->receiving.size() == keys_a && w.b->receiving.size() == keys_b);
  CHECK(w.b->count(Handled::kReplayed) == 1 && w.a->count(Handled::kUnknownIndex) == 1);
}

TEST("a delayed initiation from another address does not move a roaming endpoint") {
  World w;
  w.connect({.roaming = true});
  w.drops = [](const Datagram& d) { return d.type() == 1; };
  w.establish();
  Datagram kept = w.seen_of_type(1).at(0);
  w.drops = nullptr;
  kept.from = kAttacker;
  w.b->take(kept, w.now);
  CHECK(w.to_a->endpoint() == w.a->at && w.b->moves.empty());
  CHECK(w.b->outbox.size() == 1 &&
        w.b->outbox.front().bytes.size() == 92);  // the only answer that the attacker gets
  w.b->outbox.clear();
  w.advance(6 * kSecond);
  CHECK(w.exchange("hello"));
}

TEST("with a pinned endpoint, no answer goes to another address") {
  World w;
  w.connect();
  w.drops = [](const Datagram& d) { return d.type() == 1; };
  w.establish();
  Datagram kept = w.seen_of_type(1).at(0);
  kept.from = kAttacker;
  w.b->take(kept, w.now);
  CHECK(w.b->outbox.size() == 1 && w.b->outbox.front().to == w.a->at);
}

TEST("different preshared keys never give a session") {
  World w;
  World::Wire wire;
  wire.preshared_a.fill(1);
  wire.preshared_b.fill(2);
  w.connect(wire);
  CHECK(!w.establish());
  w.advance(20 * kSecond);
  CHECK(w.a->count(Handled::kNotAuthentic) > 0 && w.a->ups == 0 && w.b->ups == 0);
}

TEST("an initiator that is not a peer gets no answer") {
  World w;
  w.connect();
  w.to_b->rehandshake(w.now);
  w.b->machine.remove_peer(*w.to_a);
  w.deliver();
  CHECK(w.b->count(Handled::kUnknownPeer) == 1 && w.b->outbox.empty());
}

TEST("a handshake message with a modified byte is neither accepted nor answered") {
  World w;
  w.connect();
  w.drops = [](const Datagram&) { return true; };
  w.establish();
  const Datagram good = w.seen_of_type(1).at(0);
  for (std::size_t i = 0; i < good.bytes.size() - kMacBytes; i++) {  // mac2 counts only under load
    Datagram bad = good;
    bad.bytes[i] ^= 0x10;
    w.b->take(bad, w.now);
  }
  CHECK(w.b->count(Handled::kAccepted) == 0 && w.b->outbox.empty() && w.b->receiving.empty());
  w.b->take(good, w.now);
  CHECK(w.b->count(Handled::kAccepted) == 1);
}

TEST("after a forged response the handshake still accepts the true one") {
  World w;
  w.connect();
  Datagram response;
  w.drops = [&](const Datagram& d) { return d.type() == 2 && (response = d, true); };
  w.establish();
  auto forged = *read_message<Response>(response.bytes);
  forged.ephemeral[3] ^= 1;
  MessageStamper stamper(w.a->suite.preferred(), X25519Key(w.wire_key_a).public_key());
  stamper.stamp(bytes_of(forged), w.now);
  w.a->take({w.b->at, w.a->at, {bytes_of(forged).begin(), bytes_of(forged).end()}}, w.now);
  CHECK(w.a->count(Handled::kNotAuthentic) == 1);
  w.drops = nullptr;
  w.a->take(response, w.now);
  w.deliver();
  CHECK(w.exchange("hello"));
}

TEST("low-order ephemeral keys are refused even with a valid mac1") {
  World w;
  w.connect();
  w.drops = [](const Datagram&) { return true; };
  w.establish();
  auto message = *read_message<Initiation>(w.seen_of_type(1).at(0).bytes);
  for (const std::uint8_t low : {0, 1}) {
    message.ephemeral.fill(0);
    message.ephemeral[0] = low;
    MessageStamper stamper(w.a->suite.preferred(), w.b->machine.public_key());
    stamper.stamp(bytes_of(message), w.now);
    const ConstBytes bytes = bytes_of(message);
    CHECK(w.b->machine.receive(bytes, kAttacker, w.now) == Handled::kNotAuthentic);
  }
  CHECK(w.b->outbox.empty());
}

TEST("peers with a low-order key, this node's own key, or another peer's key are refused") {
  World w;
  w.connect();
  PeerConfig config = w.config_a({});
  CHECK(w.a->machine.add_peer(config, nullptr, w.now).result == AddPeer::kDuplicateKey);
  config.remote_initiator = Key{1};
  CHECK(w.a->machine.add_peer(config, nullptr, w.now).result == AddPeer::kBadKey);
  config.remote_initiator = w.a->machine.public_key();
  CHECK(w.a->machine.add_peer(config, nullptr, w.now).result == AddPeer::kBadKey);
  for (const AddPeer result : {AddPeer::kDuplicateKey, AddPeer::kBadKey}) CHECK(explain(result).size() > 20);
}

TEST("wrong types, reserved bytes and lengths are malformed") {
  World w;
  w.connect();
  std::vector<std::uint8_t> bytes(200, 0);
  for (const std::size_t size : {0u, 1u, 3u, 4u, 63u, 64u, 91u, 92u, 93u, 147u, 148u, 149u, 200u})
    for (const std::uint8_t type : {0, 1, 2, 3, 4, 5, 255})
      for (const std::uint8_t reserved : {0, 1}) {
        if (size > 0) bytes[0] = type;
        bytes[1] = reserved;
        const bool fits = reserved == 0 && ((type == 1 && size == 148) || (type == 2 && size == 92) ||
                                            (type == 3 && size == 64));
        const Handled result = w.b->machine.receive(ConstBytes(bytes).first(size), kAttacker, w.now);
        CHECK((result == Handled::kMalformed) == !fits && result != Handled::kAccepted);
      }
  CHECK(w.b->outbox.empty());
}

TEST("initiations of one peer less than 20 ms apart are ignored") {
  World w;
  w.connect();
  w.establish();
  w.now.boot_ns += 10 * kNsPerMs;
  w.now.realtime_ns += kSecond;
  w.to_b->rehandshake(w.now);
  w.deliver();
  CHECK(w.b->count(Handled::kTooFrequent) == 1);
}

}  // namespace
}  // namespace nsm::test
