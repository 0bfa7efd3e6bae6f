// Low-order points, timestamps from the far future, and messages reflected to their sender.
#include "check.h"
#include "core/messages.h"
#include "vectors.h"
#include "world.h"

namespace nsm::test {
namespace {

const SocketAddress kAttacker = address4(0xc6336401, 6666);

// The points of order 1, 2, 4 and 8 of Curve25519 and its twist, in the encodings that X25519 accepts (RFC
// 7748 section 7).
std::vector<Key> low_order_points() {
  std::vector<Key> points;
  for (const char* hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                          "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    points.push_back(key_from_hex(hex));
    points.push_back(points.back());
    points.back()[31] |= 0x80;  // the top bit is ignored
  }
  return points;
}

template <typename Message>
void stamp(Message& message, World& w, const Key& owner) {
  MessageStamper(w.a->suite.preferred(), owner).stamp(bytes_of(message), w.now);
}

TEST("no low-order point is accepted as an ephemeral key, even with a valid mac1") {
  World w;
  w.connect();
  w.drops = [](const Datagram&) { return true; };
  w.establish();
  auto initiation = *read_message<Initiation>(w.seen_of_type(1).at(0).bytes);
  for (const Key& point : low_order_points()) {
    initiation.ephemeral = point;
    stamp(initiation, w, w.b->machine.public_key());
    const ConstBytes bytes = bytes_of(initiation);
    CHECK(w.b->machine.receive(bytes, kAttacker, w.now) == Handled::kNotAuthentic);
  }
  CHECK(w.b->outbox.empty() && w.b->receiving.empty());
}

TEST("no low-order point is accepted in a response") {
  World w;
  w.connect();
  Datagram good;
  w.drops = [&](const Datagram& d) { return d.type() == 2 && (good = d, true); };
  w.establish();
  auto response = *read_message<Response>(good.bytes);
  for (const Key& point : low_order_points()) {
    response.ephemeral = point;
    stamp(response, w, X25519Key(w.wire_key_a).public_key());
    const ConstBytes bytes = bytes_of(response);
    CHECK(w.a->machine.receive(bytes, w.b->at, w.now) == Handled::kNotAuthentic);
  }
  CHECK(w.a->sending.empty());
}

TEST("no low-order point is accepted as a peer's static key, in either role") {
  World w;
  for (const Key& point : low_order_points()) {
    PeerConfig config = w.config_a({});
    config.remote_initiator = point;
    CHECK(w.a->machine.add_peer(config, nullptr, w.now).result == AddPeer::kBadKey);
    config = w.config_a({});
    config.remote_responder = point;
    CHECK(w.a->machine.add_peer(config, nullptr, w.now).result == AddPeer::kBadKey);
  }
}

TEST("a message reflected to its sender gets no answer and changes nothing") {
  World w;
  World::Wire wire;
  wire.same_key = true;  // makes the messages of both nodes as similar as possible
  w.connect(wire);
  w.establish();
  w.exchange("hello");
  const auto all = w.seen;
  const auto keys_a = w.a->receiving.size(), keys_b = w.b->receiving.size();
  w.a->delivered.clear();
  w.b->delivered.clear();
  for (Datagram d : all) {
    Node& sender = d.from == w.a->at ? *w.a : *w.b;
    std::swap(d.from, d.to);
    sender.take(d, w.now);
  }
  CHECK(w.a->outbox.empty() && w.b->outbox.empty() && w.a->delivered.empty() && w.b->delivered.empty());
  CHECK(w.a->receiving.size() == keys_a && w.b->receiving.size() == keys_b);
  CHECK(w.exchange("as before"));
}

TEST("an initiation from the year 2262 is accepted once; later ones are dropped until the key changes") {
  World w;
  w.connect();
  const Now today = w.now;
  w.now.realtime_ns = std::uint64_t{9'214'646'400} * kSecond;
  CHECK(w.establish());
  w.now = {today.boot_ns + kSecond, today.realtime_ns + kSecond};
  // A new process with the same keys and the correct time sends only older timestamps.
  const Key old_key = w.to_a->remote_initiator();
  w.a->machine.remove_peer(*w.to_b);
  w.to_b = w.a->machine.add_peer(w.config_a({}), nullptr, w.now).peer;
  w.to_b->rehandshake(w.now);
  w.deliver();
  CHECK(w.b->count(Handled::kReplayed) == 1 && w.to_b->state(w.now) == SessionState::kHandshaking);
  // The control plane gives the wire a new key.
  w.a->machine.remove_peer(*w.to_b);
  w.b->machine.remove_peer(*w.to_a);
  w.random.fill(w.wire_key_a);
  w.connect();
  CHECK(w.to_a->remote_initiator() != old_key && w.establish() && w.exchange("hello"));
}

TEST("an equal timestamp counts as a replay, even in a different initiation") {
  World w;
  w.connect();
  const Now then = w.now;
  CHECK(w.establish());
  w.a->machine.remove_peer(*w.to_b);
  w.to_b = w.a->machine.add_peer(w.config_a({}), nullptr, w.now).peer;
  w.now = {then.boot_ns + kSecond, then.realtime_ns};
  w.to_b->rehandshake(w.now);
  w.deliver();
  CHECK(w.b->count(Handled::kReplayed) == 1 && w.b->outbox.empty());
}

}  // namespace
}  // namespace nsm::test
