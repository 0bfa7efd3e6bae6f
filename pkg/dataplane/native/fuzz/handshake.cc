// Two machines with an attacker on the path: only the genuine handshake message is accepted, whatever
// is done to it, and after a forged one the genuine one is still accepted. The protocol makes one
// exception, the sender's index: it is covered by mac1 alone, which everybody who knows the public key
// can make. An attacker who changes it causes a retry, nothing more.
#include "core/cookie.h"
#include "fresh-world.h"
#include "fuzzed-input.h"

namespace {

using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::test::Datagram;
using nsm::test::Node;
using nsm::test::World;

Datagram intercept(Node& sender) {
  require(sender.outbox.size() == 1);
  Datagram datagram = std::move(sender.outbox.front());
  sender.outbox.clear();
  return datagram;
}

// If the input says so, with a valid mac1, which everybody who knows the public key can make.
Datagram forge(FuzzedInput& input, const Datagram& from, const nsm::Key& to) {
  Datagram forged = from;
  nsm::fuzz::damage(input, forged.bytes);
  if (!input.flag() || forged.bytes.size() < 2 * nsm::kMacBytes) return forged;
  const nsm::Mac mac1 = nsm::blake2s_mac(nsm::mac1_key(to), nsm::before_mac1(forged.bytes));
  std::ranges::copy(mac1, forged.bytes.end() - 2 * nsm::kMacBytes);
  return forged;
}

bool same_index(const Datagram& a, const Datagram& b) {
  return std::equal(a.bytes.begin() + 4, a.bytes.begin() + 8, b.bytes.begin() + 4);
}

// Compares all but the sender's index and mac2, which matters only under load.
bool authentic(const Datagram& forged, const Datagram& truth, const nsm::Key& to) {
  if (forged.bytes.size() != truth.bytes.size() || forged.type() != truth.type()) return false;
  const auto covered = [](const Datagram& d) { return nsm::before_mac1(d.bytes).subspan(8); };
  return std::equal(forged.bytes.begin(), forged.bytes.begin() + 4, truth.bytes.begin()) &&
         std::ranges::equal(covered(forged), covered(truth)) &&
         nsm::mac1_valid(nsm::mac1_key(to), forged.bytes);
}

int accepted(const Node& node) { return node.count(nsm::Handled::kAccepted); }

void require_recovery(World& world) {
  for (int tries = 0; tries < 3; tries++) {
    world.deliver();
    if (world.exchange("hello")) return;
    world.advance(20 * nsm::test::kSecond);
  }
  require(false);
}

struct Passed {  // the result of passing a message on
  Datagram truth, forged;
};

// `to` receives what the input makes of `from`'s message, and if it refuses that, the genuine one.
Passed pass(FuzzedInput& input, Node& from, Node& to, const nsm::Key& key, nsm::Now now) {
  const Datagram truth = intercept(from);
  const Datagram forged = forge(input, truth, key);
  to.take(forged, now);
  require(accepted(to) == authentic(forged, truth, key));
  if (accepted(to) == 1) return {truth, forged};
  require(to.outbox.empty() && to.receiving.empty() && to.ups == 0);
  to.take(truth, now);
  require(accepted(to) == 1);
  return {truth, truth};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  World& world = nsm::fuzz::fresh_world();
  World::Wire wire;
  wire.same_key = input.flag();
  wire.roaming = input.flag();
  if (input.flag()) {
    wire.preshared_a.fill(7);
    wire.preshared_b.fill(7);
  }
  world.connect(wire);
  Node &a = *world.a, &b = *world.b;

  world.to_b->rehandshake(world.now);
  const Passed initiation = pass(input, a, b, b.machine.public_key(), world.now);
  if (!same_index(initiation.truth, initiation.forged)) return require_recovery(world), 0;
  const Passed response = pass(input, b, a, world.to_b->initiator_public(), world.now);
  if (!same_index(response.truth, response.forged)) return require_recovery(world), 0;
  world.deliver();
  require(world.exchange("hello"));
  return 0;
}
