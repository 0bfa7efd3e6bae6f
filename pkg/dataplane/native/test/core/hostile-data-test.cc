// Data messages that an attacker on the path modifies, replays or forges.
#include "check.h"
#include "core/messages.h"
#include "world.h"

namespace nsm::test {
namespace {

constexpr int kFlipped = 1'000'000;
const SocketAddress kAttacker = address4(0xc6336401, 6666);

// `text` sealed by a for b, but not delivered.
Datagram seal(World& w, const std::string& text) {
  w.a->send_data(*w.to_b, text, w.now);
  Datagram sealed = w.a->outbox.back();
  w.a->outbox.pop_back();
  return sealed;
}

TEST("of a million messages with one bit flipped none is delivered, by either cipher") {
  for (const auto algorithm : {AeadAlgorithm::kChaCha20Poly1305, AeadAlgorithm::kAes256Gcm}) {
    World w(3);
    w.connect({.algorithm = algorithm});
    w.establish();
    SeededRandom dice(4);
    w.b->delivered.clear();
    for (int i = 0; i < kFlipped / 2; i++) {
      Datagram message = seal(w, "data");
      const std::uint64_t bit = dice.below(message.bytes.size() * 8);
      message.bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      w.b->take(message, w.now);
    }
    CHECK(w.b->delivered.empty());
    CHECK(w.exchange("and the session still works"));
  }
}

TEST("every single bit of a message is protected") {
  World w;
  w.connect();
  w.establish();
  const Datagram good = seal(w, "data");
  w.b->delivered.clear();
  for (std::size_t bit = 0; bit < good.bytes.size() * 8; bit++) {
    Datagram bad = good;
    bad.bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    w.b->take(bad, w.now);
  }
  CHECK(w.b->delivered.empty());
  w.b->take(good, w.now);
  CHECK(w.b->delivered.size() == 1);
}

TEST("a forged counter, far ahead or at the limit, is refused and does not move the window") {
  World w;
  w.connect();
  w.establish();
  const Datagram good = seal(w, "data");
  w.b->delivered.clear();
  for (const std::uint64_t counter :
       {std::uint64_t{1} << 40, kRejectAfterMessages - 1, kRejectAfterMessages, UINT64_MAX}) {
    Datagram forged = good;
    store_le(forged.bytes.data() + 8, counter);
    w.b->take(forged, w.now);
  }
  CHECK(w.b->delivered.empty());
  w.b->take(good, w.now);
  CHECK(w.b->delivered.size() == 1);
}

TEST("the last counter below the limit is accepted, and none beyond") {
  World w;
  w.connect();
  w.establish();
  w.b->delivered.clear();
  w.a->sending.at(w.to_b)->next_counter = kRejectAfterMessages - 1;
  w.b->take(seal(w, "last"), w.now);
  CHECK(w.b->delivered.size() == 1);
  CHECK(!w.a->send_data(*w.to_b, "beyond", w.now));
}

TEST("forwarding a genuine packet from another address diverts a roaming endpoint only until the next one") {
  World w;
  w.connect({.roaming = true});
  w.establish();
  Datagram raced = seal(w, "raced");
  raced.from = kAttacker;
  w.b->take(raced, w.now);
  CHECK(w.to_a->endpoint() == kAttacker);  // like any WireGuard: it is authentic and newer than all before
  w.b->take(seal(w, "next"), w.now);
  CHECK(w.to_a->endpoint() == w.a->at);
  raced.from = kAttacker;
  w.b->take(raced, w.now);  // a second time it is a replay
  CHECK(w.to_a->endpoint() == w.a->at);
}

TEST("a pinned endpoint does not move, even if genuine packets arrive from another address") {
  World w;
  w.connect();
  w.establish();
  Datagram raced = seal(w, "raced");
  raced.from = kAttacker;
  w.b->delivered.clear();
  w.b->take(raced, w.now);
  CHECK(w.to_a->endpoint() == w.a->at && w.b->moves.empty() && w.b->delivered.size() == 1);
}

TEST("sides configured with different AEADs deliver nothing: there is no fallback") {
  World w;
  World::Wire wire;
  PeerConfig config = w.config_b(wire);
  config.algorithm = AeadAlgorithm::kAes256Gcm;
  w.to_b = w.a->machine.add_peer(w.config_a(wire), nullptr, w.now).peer;
  w.to_a = w.b->machine.add_peer(config, nullptr, w.now).peer;
  w.establish();
  w.a->send_data(*w.to_b, "data", w.now);
  w.deliver();
  CHECK(w.b->delivered.empty() && w.to_a->state(w.now) == SessionState::kReceiveOnly);
}

}  // namespace
}  // namespace nsm::test
