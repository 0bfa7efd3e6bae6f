// The saved state: what survives an engine restart, and what must not.
#include "core/saved-state.h"

#include "check.h"
#include "world.h"

namespace nsm::test {
namespace {

// Memory as the holder provides it: page-aligned and initially zero.
struct Memory {
  explicit Memory(std::size_t bytes = 64 * 1024) : pages(bytes / 4096) {}
  struct alignas(4096) Page {
    std::array<std::uint8_t, 4096> bytes = {};
  };
  std::vector<Page> pages;
  Bytes all() { return {pages.data()->bytes.data(), pages.size() * sizeof(Page)}; }
  bool holds(ConstBytes what) {
    const Bytes in = all();
    return std::search(in.begin(), in.end(), what.begin(), what.end()) != in.end();
  }
};

RestoredKey some_key(std::uint32_t index) {
  RestoredKey key;
  key.key.fill(static_cast<std::uint8_t>(index));
  key.local_index = index;
  key.created_ns = 77;
  key.next_counter = 5;
  return key;
}

TEST("slots are found again by id, also by a later process, and freed slots are reused") {
  Memory memory;
  SavedState first(memory.all());
  CHECK(!first.resumed() && first.slots() > 100);
  SavedPeer* const one = first.take("port-1");
  SavedPeer* const two = first.take("port-2");
  CHECK(one != nullptr && two != nullptr && one != two && first.take("port-1") == one);
  two->keys[0].write(some_key(9));
  first.release("port-1");
  SavedState later(memory.all());
  CHECK(later.resumed() && later.take("port-2") == two && later.take("port-3") == one);
  CHECK(later.take("port-2")->keys[0].read()->local_index == 9);
}

TEST("ids of up to 64 bytes fit, longer and empty ones do not, and a full table is reported") {
  Memory memory;
  SavedState state(memory.all());
  CHECK(state.take(std::string(64, 'x')) != nullptr && state.take(std::string(65, 'x')) == nullptr);
  CHECK(state.take("") == nullptr);
  for (std::size_t i = 1; i < state.slots(); i++) CHECK(state.take("p" + std::to_string(i)) != nullptr);
  CHECK(state.take("one too many") == nullptr);
}

TEST("memory that is too small, corrupted or of another version is treated as empty") {
  Memory tiny(4096);
  SavedState none(tiny.all());
  CHECK(none.slots() == 0 && none.take("x") == nullptr);
  for (const std::size_t damaged : {0u, 8u, 12u, 23u}) {
    Memory memory;
    SavedState(memory.all()).take("x")->keys[0].write(some_key(3));
    memory.all()[damaged] ^= 0x40;
    SavedState state(memory.all());
    CHECK(!state.resumed() && !memory.holds(some_key(3).key) && state.take("x")->keys[0].empty());
  }
}

TEST("a torn or corrupted key is not restored") {
  Memory memory;
  SavedState state(memory.all());
  SavedReceiveKey& key = state.take("x")->keys[1];
  for (std::size_t i = 8; i < 60; i++) {  // the counter in front is not covered by the checksum
    key.write(some_key(3));
    CHECK(key.read().has_value());
    reinterpret_cast<std::uint8_t*>(&key)[i] ^= 0x20;
    CHECK(!key.read().has_value());
  }
}

TEST("one of the two copies of a timestamp survives a torn write") {
  SavedTimestamp saved = {};
  CHECK(saved.read() == Timestamp{});
  const Timestamp first = tai64n(kSecond), second = tai64n(2 * kSecond), third = tai64n(3 * kSecond);
  saved.write(first);
  CHECK(saved.read() == first);
  saved.write(second);
  CHECK(saved.read() == second);
  for (std::size_t byte = 0; byte < sizeof saved; byte++) {
    SavedTimestamp cut = saved;
    cut.write(third);
    reinterpret_cast<std::uint8_t*>(&cut)[byte] ^= 1;
    CHECK(cut.read() == third || cut.read() == second);
  }
}

// A wire whose node a can be killed and restarted.
struct Mortal : World {
  explicit Mortal(std::uint64_t seed = 1) : World(seed) {
    wire.saved_a = state().take("port-a");
    connect(wire);
  }
  SavedState state() { return SavedState(memory.all()); }
  void kill_and_restart() {
    a->outbox.clear();
    a = std::make_unique<Node>(random.below(1000) + 50, a->at, key_a);
    to_b = a->machine.add_peer(config_a(wire), wire.saved_a, now).peer;
  }
  Memory memory;
  Wire wire;
};

TEST("after a restart data in flight is received, and a new handshake provides the sending key") {
  Mortal w;
  CHECK(w.establish() && w.exchange("before"));
  w.b->send_data(*w.to_a, "under way", w.now);
  w.kill_and_restart();
  CHECK(w.to_b->state(w.now) == SessionState::kReceiveOnly);
  CHECK(!w.a->sending.contains(w.to_b));
  w.advance(30 * kNsPerMs);
  CHECK(w.a->delivered == std::vector<std::string>{"under way"});
  w.to_b->rehandshake(w.now);
  w.deliver();
  CHECK(w.to_b->state(w.now) == SessionState::kEstablished && w.exchange("after"));
}

TEST("after a restart nothing is delivered a second time") {
  Mortal w;
  w.establish();
  for (int i = 0; i < 100; i++) w.exchange("once");
  const auto recorded = w.seen;
  w.kill_and_restart();
  for (const Datagram& d : recorded)
    if (d.to == w.a->at) w.a->take(d, w.now);
  CHECK(w.a->delivered.empty());
}

TEST("an old initiation is not answered by a restarted responder") {
  Mortal w;
  w.to_a->rehandshake(w.now);
  w.deliver();
  CHECK(w.exchange("hello"));
  Datagram old = w.seen_of_type(1).at(0);
  w.kill_and_restart();
  old.from = address4(0xc6336401, 6666);
  w.a->take(old, w.now);
  CHECK(w.a->count(Handled::kReplayed) == 1 && w.a->outbox.empty());
}

TEST("initiations after a restart have newer timestamps even if the wall clock went back") {
  Mortal w;
  w.establish();
  w.now.realtime_ns -= 1000 * kSecond;
  w.kill_and_restart();
  w.advance(kSecond);
  w.to_b->rehandshake(w.now);
  w.deliver();
  CHECK(w.exchange("hello"));
}

TEST("keys that are older than 180 s, of another AEAD, or from the future are wiped, not restored") {
  for (const int what : {0, 1, 2}) {
    Mortal w;
    w.establish();
    const RestoredKey saved = *w.wire.saved_a->keys[0].read();
    if (what == 0) w.now.boot_ns += kRejectAfterNs;
    if (what == 1) w.now.boot_ns -= 1;
    PeerConfig config = w.config_a(w.wire);
    if (what == 2) config.algorithm = AeadAlgorithm::kAes256Gcm;
    Node restarted(9, w.a->at, w.key_a);
    restarted.machine.add_peer(config, w.wire.saved_a, w.now);
    CHECK(restarted.receiving.empty() && !w.memory.holds(saved.key));
  }
}

TEST("dropped keys are wiped from the saved state") {
  Mortal w;
  w.establish();
  std::vector<SecretKey> keys;
  for (int i = 0; i < 10; i++) {
    for (auto& slot : w.wire.saved_a->keys)
      if (const auto key = slot.read()) keys.push_back(key->key);
    w.advance(kSecond);
    w.to_b->rehandshake(w.now);
    w.deliver();
  }
  w.advance(181 * kSecond);
  for (const SecretKey& key : keys) CHECK(!w.memory.holds(key));
  w.establish();
  const SecretKey last = w.wire.saved_a->keys[0].read()->key;
  w.a->machine.remove_peer(*w.to_b);
  CHECK(!w.memory.holds(last));
}

TEST("repeated restarts with data both ways lose nothing that was in flight") {
  Mortal w(11);
  w.establish();
  for (int round = 0; round < 20; round++) {
    w.advance(50 * kNsPerMs);
    w.a->delivered.clear();
    w.b->send_data(*w.to_a, "under way", w.now);
    w.kill_and_restart();
    w.deliver();
    if (!CHECK(w.a->delivered == std::vector<std::string>{"under way"})) std::printf("  round %d\n", round);
    w.advance(25 * kNsPerMs);
    w.to_b->rehandshake(w.now);
    w.deliver();
    CHECK(w.exchange("hello"));
  }
}

}  // namespace
}  // namespace nsm::test
