// The timers of all peers: idle peers cost nothing, and no timer is lost.
#include "core/agenda.h"

#include "check.h"
#include "world.h"

namespace nsm::test {
namespace {

TEST("a timer that is due is taken once, the earliest first") {
  Agenda agenda;
  Timed a, b, c;
  agenda.set(a, 30);
  agenda.set(b, 10);
  agenda.set(c, 20);
  agenda.set(a, 5);  // moved
  CHECK(agenda.next() == 5 && agenda.take(4) == nullptr);
  CHECK(agenda.take(15) == &a && agenda.take(15) == &b && agenda.take(15) == nullptr);
  agenda.set(c, UINT64_MAX);
  CHECK(agenda.next() == UINT64_MAX && agenda.take(UINT64_MAX - 1) == nullptr);
}

TEST("a peer without a session needs no tick, one with a session needs few") {
  World w;
  w.connect();
  CHECK(w.a->machine.tick(w.now) == UINT64_MAX);
  w.establish();
  int ticks = 0;
  const std::uint64_t end = w.now.boot_ns + 120 * kSecond;
  for (std::uint64_t next; (next = w.a->machine.tick(w.now)) < end; ticks++) w.now.boot_ns = next;
  CHECK(ticks > 0 && ticks < 30);
}

TEST("a removed peer is no longer called") {
  World w;
  w.connect();
  w.establish();
  w.a->machine.remove_peer(*w.to_b);
  CHECK(w.a->machine.tick(w.now) == UINT64_MAX);
  w.now.boot_ns += 500 * kSecond;
  CHECK(w.a->machine.tick(w.now) == UINT64_MAX);
}

}  // namespace
}  // namespace nsm::test
