// The timers of section 6 of the WireGuard whitepaper, with a clock that only the test advances.
#include "check.h"
#include "world.h"

namespace nsm::test {
namespace {

constexpr std::uint64_t kSlackNs =
    600 * kNsPerMs;                             // jitter, plus the interval at which a due rekey is noticed
constexpr std::uint64_t kLookNs = 5 * kSecond;  // the interval at which idle sessions are checked

// Sends data from a once per second for `seconds`, and returns how many packets b got.
std::size_t chatter(World& w, int seconds, bool answer) {
  std::size_t got = 0;
  for (int i = 0; i < seconds; i++) {
    w.b->delivered.clear();
    w.a->send_data(*w.to_b, "tick", w.now);
    if (answer) w.b->send_data(*w.to_a, "tock", w.now);
    w.deliver();
    got += w.b->delivered.size();
    w.advance(kSecond);
  }
  return got;
}

TEST("the initiator rekeys a busy session after 120 s, and nothing is lost") {
  World w;
  w.connect();
  w.establish();
  CHECK(chatter(w, 119, true) == 119 && w.seen_of_type(1).size() == 1);
  CHECK(chatter(w, 3, true) == 3 && w.seen_of_type(1).size() == 2);
  CHECK(chatter(w, 400, true) == 400);
  CHECK(w.seen_of_type(1).size() == 5 && w.a->ups == 1 && w.a->downs == 0);
}

TEST("the initiator of a session that only receives rekeys it at 165 s") {
  World w;
  w.connect();
  w.establish();
  for (int i = 0; i < 164; i++) {
    w.b->send_data(*w.to_a, "tock", w.now);
    w.deliver();
    w.advance(kSecond);
  }
  CHECK(w.seen_of_type(1).size() == 1);
  for (int i = 0; i < 3; i++) {
    w.b->send_data(*w.to_a, "tock", w.now);
    w.deliver();
    w.advance(kSecond);
  }
  CHECK(w.seen_of_type(1).size() == 2);
}

TEST("keys are neither used nor kept after 180 s") {
  World w;
  w.connect();
  w.establish();
  w.advance(180 * kSecond - 1);
  CHECK(w.to_b->state(w.now) == SessionState::kEstablished);
  w.advance(1);
  CHECK(w.to_b->state(w.now) == SessionState::kIdle);
  CHECK(w.a->receiving.empty() && w.a->sending.empty() && w.b->receiving.empty() && w.b->sending.empty());
  CHECK(w.seen_of_type(1).size() == 1);  // idle, so there was no rekey
  CHECK(!w.a->send_data(*w.to_b, "x", w.now));
  w.deliver();
  CHECK(w.exchange("it works again at once"));
}

TEST("a data thread refuses a key that is 180 s old without the control thread") {
  World w;
  w.connect();
  w.establish();
  SendKey& send = *w.a->sending.at(w.to_b);
  ReceiveKey& receive = *w.a->receiving.begin()->second.second;
  CHECK(send.remaining(send.created_ns + kRejectAfterNs - 1) > 0);
  CHECK(send.remaining(send.created_ns + kRejectAfterNs) == 0);
  CHECK(send.remaining(send.created_ns - 1) > 0 && receive.usable(receive.created_ns - 1));
  CHECK(receive.usable(receive.created_ns + kRejectAfterNs - 1) &&
        !receive.usable(receive.created_ns + kRejectAfterNs));
}

TEST("a sending key ends at REJECT_AFTER_MESSAGES and is replaced at REKEY_AFTER_MESSAGES") {
  World w;
  w.connect();
  w.establish();
  SendKey& key = *w.a->sending.at(w.to_b);
  key.next_counter = kRejectAfterMessages - 1;
  CHECK(key.remaining(w.now.boot_ns) == 1);
  key.next_counter++;
  CHECK(key.remaining(w.now.boot_ns) == 0);
  key.next_counter = 7;
  w.advance(kSecond);
  const auto before = w.seen_of_type(1).size();
  w.to_b->activity().counter(kRekeyAfterMessages);
  w.advance(kLookNs);
  CHECK(w.seen_of_type(1).size() == before + 1);
}

TEST("an unanswered handshake is retried every 5 s with new keys and given up after 90 s") {
  World w;
  w.connect();
  w.drops = [](const Datagram&) { return true; };
  w.establish();
  w.advance(89 * kSecond);
  CHECK(w.a->given_up == 0 && w.to_b->state(w.now) == SessionState::kHandshaking);
  const auto sent = w.seen_of_type(1);
  CHECK(sent.size() >= 17 && sent.size() <= 18);
  CHECK(!std::equal(sent[0].bytes.begin() + 4, sent[0].bytes.begin() + 40, sent[1].bytes.begin() + 4));
  w.advance(7 * kSecond);
  CHECK(w.a->given_up == 1 && w.to_b->state(w.now) == SessionState::kIdle);
  w.advance(300 * kSecond);
  CHECK(w.a->given_up == 1 && w.a->machine.tick(w.now) == UINT64_MAX);  // silent until data needs it
  w.drops = nullptr;
  CHECK(w.establish());
}

TEST("without an endpoint a handshake is given up at once") {
  World w;
  w.connect();
  w.to_b->set_endpoint({});
  w.to_b->want_session(w.now);
  CHECK(w.a->given_up == 1 && w.a->outbox.empty());
}

TEST("received data is answered with one keepalive if there is nothing to send for 10 s") {
  World w;
  w.connect();
  w.establish();
  w.advance(kSecond);
  w.a->send_data(*w.to_b, "x", w.now);
  w.deliver();
  const int before = w.b->keepalives;
  w.advance(kKeepaliveTimeoutNs - 1);
  CHECK(w.b->keepalives == before);
  w.advance(kSlackNs);
  CHECK(w.b->keepalives == before + 1);
  w.advance(60 * kSecond);
  CHECK(w.b->keepalives == before + 1 && w.a->keepalives == 1);  // keepalives are not answered
}

TEST("data in the other direction makes the keepalive unnecessary") {
  World w;
  w.connect();
  w.establish();
  CHECK(chatter(w, 60, true) == 60);
  CHECK(w.a->keepalives == 1 && w.b->keepalives == 0);
}

TEST("after 15 s without an answer the session is down and a handshake starts; an answer brings it up") {
  World w;
  w.connect();
  w.establish();
  w.advance(kSecond);
  w.drops = [](const Datagram&) { return true; };
  w.a->send_data(*w.to_b, "x", w.now);
  w.advance(15 * kSecond - 1);
  CHECK(w.a->downs == 0 && w.seen_of_type(1).size() == 1);
  w.advance(kSlackNs);
  CHECK(w.a->downs == 1 && w.seen_of_type(1).size() == 2);
  w.drops = nullptr;
  w.advance(6 * kSecond);
  CHECK(w.a->ups == 2 && w.a->downs == 1 && w.exchange("hello"));
}

TEST("a wire is unknown until a handshake completes, down if none does for 11 s, and up when one does") {
  World w;
  w.connect({.keepalive_seconds = 10});
  w.to_a->set_endpoint(w.a->at);
  w.to_a->set_keepalive(10);
  w.drops = [](const Datagram&) { return true; };
  w.advance(11 * kSecond - 1);
  CHECK(w.to_b->verdict() == Verdict::kUnknown && w.to_a->verdict() == Verdict::kUnknown);
  w.advance(kSlackNs);
  CHECK(w.to_b->verdict() == Verdict::kDown && w.to_b->loss() == SessionLoss::kNeverAnswered);
  CHECK(w.a->downs == 1 && w.b->downs == 1);
  w.advance(500 * kSecond);
  CHECK(w.a->downs == 1 && w.b->downs == 1);
  w.drops = nullptr;
  w.advance(16 * kSecond);
  CHECK(w.to_b->verdict() == Verdict::kUp && w.to_a->verdict() == Verdict::kUp);
}

TEST("a handshake that only one side can complete makes neither of them up") {
  World w;
  w.connect({.keepalive_seconds = 10});
  w.to_a->set_endpoint(w.a->at);
  w.to_a->set_keepalive(10);
  w.drops = [&](const Datagram& d) { return d.to == w.a->at; };
  w.advance(60 * kSecond);
  CHECK(w.to_b->verdict() == Verdict::kDown && w.to_a->verdict() == Verdict::kDown && w.b->ups == 0);
}

TEST("what comes in while a wire is down is followed up by a handshake, and that brings it up") {
  World w;
  w.connect();
  w.establish();
  w.advance(kSecond);
  w.drops = [](const Datagram&) { return true; };
  w.a->send_data(*w.to_b, "x", w.now);
  w.advance(110 * kSecond);
  CHECK(w.to_b->verdict() == Verdict::kDown && w.a->given_up == 1);
  w.drops = nullptr;
  w.b->send_data(*w.to_a, "y", w.now);
  w.deliver();
  w.advance(kLookNs + kSlackNs);
  CHECK(w.to_b->verdict() == Verdict::kUp);
}

TEST("a wire that the peer's node has forgotten is down, and up again if it had only lost the keys") {
  World w;
  w.connect();
  w.establish();
  w.advance(kSecond);
  w.to_b->forgotten(w.now);
  CHECK(w.to_b->verdict() == Verdict::kDown && w.a->downs == 1);
  w.deliver();
  CHECK(w.to_b->verdict() == Verdict::kUp && w.a->ups == 2);
}

TEST("a wire without traffic is not reported as down") {
  World w;
  w.connect();
  w.establish();
  w.drops = [](const Datagram&) { return true; };
  w.advance(1000 * kSecond);
  CHECK(w.a->downs == 0 && w.b->downs == 0 && w.a->given_up == 0);
}

TEST("the persistent keepalive is sent if nothing else was, and starts a session by itself") {
  World w;
  w.connect({.keepalive_seconds = 25});
  w.advance(kSecond);
  CHECK(w.to_b->state(w.now) == SessionState::kEstablished);
  const int before = w.a->keepalives;
  w.advance(100 * kSecond);
  CHECK(w.a->keepalives == before + 4 || w.a->keepalives == before + 3);
  w.advance(1000 * kSecond);
  CHECK(w.to_b->state(w.now) == SessionState::kEstablished && w.a->given_up == 0);
}

TEST("rehandshake does not wait for any timer") {
  World w;
  w.connect();
  w.establish();
  w.advance(50 * kNsPerMs);
  w.to_a->rehandshake(w.now);
  w.deliver();
  CHECK(w.seen_of_type(1).size() == 2 && w.to_a->handshake_age_ns(w.now) == 0u);
  CHECK(w.exchange("hello"));
}

TEST("100 forced rekeys under traffic, with loss on the handshakes, deliver each packet once") {
  World w(42);
  w.connect();
  w.establish();
  SeededRandom dice(5);
  w.drops = [&](const Datagram& d) { return d.type() != 4 && dice.below(4) == 0; };
  std::size_t sent = 0, got = 0;
  for (int round = 0; round < 100; round++) {
    if (dice.below(3) != 0) w.to_b->rehandshake(w.now);
    if (dice.below(3) != 0) w.to_a->rehandshake(w.now);
    for (int i = 0; i < 10; i++) {
      w.b->delivered.clear();
      sent += w.a->send_data(*w.to_b, "data", w.now);
      w.deliver();
      got += w.b->delivered.size();
      w.advance(30 * kNsPerMs);
    }
  }
  CHECK(sent == 1000 && got == sent);
}

}  // namespace
}  // namespace nsm::test
