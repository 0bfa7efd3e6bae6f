// Two nodes that are as good as new for each input. Their WireguardMachines are created only once,
// because the tables of their rate limiters cost more than a handshake. So much time passes between
// two inputs that a machine remembers nothing of the previous one.
#pragma once

#include "test/core/world.h"

namespace nsm::fuzz {

inline void forget(test::Node& node, std::uint64_t seed) {
  node.ups = node.downs = node.given_up = node.keepalives = 0;
  node.handled = {};
  node.delivered.clear();
  node.moves.clear();
  node.outbox.clear();
  node.random = test::SeededRandom(seed);
}

// Returns a world without peers; call connect() next.
inline test::World& fresh_world() {
  static test::World world;
  if (world.to_b != nullptr) {
    world.a->machine.remove_peer(*world.to_b);
    world.b->machine.remove_peer(*world.to_a);
  }
  forget(*world.a, 1);
  forget(*world.b, 2);
  world.seen.clear();
  world.now.boot_ns += 1000 * test::kSecond;
  world.now.realtime_ns = 1'800'000'000 * test::kSecond;
  return world;
}

}  // namespace nsm::fuzz
