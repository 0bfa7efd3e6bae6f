// The cookie mechanism: a WireguardMachine under load.
#include "check.h"
#include "core/messages.h"
#include "world.h"

namespace nsm::test {
namespace {

TEST("under load the first initiation gets a cookie, and the second with it a session, within 20 ms") {
  World w;
  w.connect();
  w.b->machine.under_load(w.now);
  CHECK(!w.establish());
  CHECK(w.b->count(Handled::kCookieSent) == 1 && w.seen_of_type(3).size() == 1);
  w.advance(20 * kNsPerMs);
  CHECK(w.to_b->state(w.now) == SessionState::kEstablished && w.exchange("hello"));
}

TEST("a handshake response is subject to cookies too") {
  World w;
  w.connect();
  w.a->machine.under_load(w.now);
  CHECK(!w.establish());  // the response is answered with a cookie reply
  CHECK(w.a->count(Handled::kCookieSent) == 1 && w.b->count(Handled::kAccepted) == 2);
  w.advance(5 * kSecond);
  w.a->machine.under_load(w.now);
  w.advance(kSecond);
  CHECK(w.exchange("hello"));
}

TEST("under load only cookie replies are sent, and each is smaller than the message that it answers") {
  World w;
  w.connect();
  w.b->machine.under_load(w.now);
  w.establish();
  for (const Datagram& d : w.seen)
    if (d.from == w.b->at) CHECK(d.type() == 3 && d.bytes.size() == 64 && d.bytes.size() * 100 <= 148 * 65);
}

TEST("a message with a bad mac1 gets no answer, under load or not") {
  for (const bool load : {false, true}) {
    World w;
    w.connect();
    w.drops = [](const Datagram&) { return true; };
    w.establish();
    auto bytes = w.seen_of_type(1).at(0).bytes;
    bytes[120] ^= 1;
    if (load) w.b->machine.under_load(w.now);
    CHECK(w.b->machine.receive(bytes, w.a->at, w.now) == Handled::kBadMac1 && w.b->outbox.empty());
  }
}

TEST("a cookie is valid for one address and port, and for 120 s") {
  SeededRandom random(4);
  const AeadSuite suite;
  CookieMaker maker(suite.preferred(), random);
  Now now = {kSecond, 0};
  const Mac mine = maker.cookie(address4(1, 1), now);
  CHECK(mine != maker.cookie(address4(1, 2), now) && mine != maker.cookie(address4(2, 1), now));
  now.boot_ns += kCookieSecretNs - 1;
  CHECK(mine == maker.cookie(address4(1, 1), now));
  now.boot_ns += 1;
  CHECK(mine != maker.cookie(address4(1, 1), now));
}

TEST("a forged, replayed or foreign cookie reply is not accepted") {
  World w;
  w.connect();
  w.b->machine.under_load(w.now);
  w.drops = [](const Datagram& d) { return d.type() == 3; };
  w.establish();
  const Datagram reply = w.seen_of_type(3).at(0);
  for (std::size_t i = 4; i < reply.bytes.size(); i++) {
    auto bad = reply.bytes;
    bad[i] ^= 1;
    CHECK(w.a->machine.receive(bad, w.b->at, w.now) != Handled::kAccepted);
  }
  CHECK(w.a->machine.receive(reply.bytes, w.b->at, w.now) == Handled::kAccepted);
  CHECK(w.a->machine.receive(reply.bytes, w.b->at, w.now) == Handled::kNotAuthentic);
}

TEST("a source that has proved its address is still limited to 20 messages per second") {
  World w;
  w.connect({.roaming = true});
  w.drops = [](const Datagram&) { return true; };
  w.establish();
  auto message = *read_message<Initiation>(w.seen_of_type(1).at(0).bytes);
  w.drops = nullptr;
  w.b->machine.under_load(w.now);
  MessageStamper stamper(w.a->suite.preferred(), w.b->machine.public_key());
  stamper.stamp(bytes_of(message), w.now);
  const ConstBytes bytes = bytes_of(message);
  CHECK(w.b->machine.receive(bytes, w.a->at, w.now) == Handled::kCookieSent);
  CHECK(stamper.consume(*read_message<CookieReply>(w.b->outbox.back().bytes), w.now));
  stamper.stamp(bytes_of(message), w.now);
  int worked = 0, limited = 0;
  for (int i = 0; i < 50; i++) {
    const Handled result = w.b->machine.receive(bytes, w.a->at, w.now);
    worked += result == Handled::kAccepted || result == Handled::kReplayed;
    limited += result == Handled::kRateLimited;
  }
  CHECK(worked == 5 && limited == 45);
}

TEST("the state under load ends after a second") {
  World w;
  w.connect();
  w.b->machine.under_load(w.now);
  w.now.boot_ns += kSecond;
  CHECK(w.establish());
}

TEST("the mac1 filter of the ingress thread agrees with the machine") {
  World w;
  w.connect();
  w.establish();
  const Mac1Filter filter(w.b->machine.public_key()), other(w.a->machine.public_key());
  auto bytes = w.seen_of_type(1).at(0).bytes;
  CHECK(filter.passes(bytes) && !other.passes(bytes) && !filter.passes(ConstBytes(bytes).first(147)));
  bytes[50] ^= 1;
  CHECK(!filter.passes(bytes));
}

}  // namespace
}  // namespace nsm::test
