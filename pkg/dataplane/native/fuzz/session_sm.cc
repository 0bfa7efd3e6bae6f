// Two devices on a network that loses, repeats and reorders, with clocks that jump
// and an engine that restarts: nothing is delivered twice, no key seals a counter
// twice, and once the network is quiet the two can talk again.
#include <set>

#include "core/messages.h"
#include "core/saved-state.h"
#include "fresh-world.h"
#include "fuzzed-input.h"

namespace {

using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::test::Datagram;
using nsm::test::kSecond;
using nsm::test::Node;
using nsm::test::World;

class Session {
 public:
  explicit Session(FuzzedInput& input) : input_(input) {
    std::memset(static_cast<void*>(&saved_), 0, sizeof saved_);
    wire_.saved_a = &saved_;
    wire_.roaming = input.flag();
    wire_.keepalive_seconds = input.flag() ? 25 : 0;
    world_.connect(wire_);
  }

  void step() {
    switch (input_.number<std::uint8_t>() % 12) {
      case 0:
        return talk(*world_.a, *world_.to_b);
      case 1:
        return talk(*world_.b, *world_.to_a);
      case 2:
        return deliver(0);
      case 3:
        return deliver(input_.number<std::uint8_t>());
      case 4:
        return repeat(input_.number<std::uint8_t>());
      case 5:
        return lose(input_.number<std::uint8_t>());
      case 6:
        return wait(input_.number<std::uint16_t>() * nsm::kNsPerMs);
      case 7:
        return wait(input_.number<std::uint8_t>() * kSecond);
      case 8:
        return (input_.flag() ? world_.to_a : world_.to_b)->rehandshake(world_.now);
      case 9:
        return (input_.flag() ? world_.a : world_.b)->device.under_load(world_.now);
      case 10:
        world_.now.realtime_ns += static_cast<std::uint64_t>(input_.number<std::int8_t>() * 3600) * kSecond;
        return;
      case 11:
        return restart();
    }
  }

  // What was sent since the last call is on the way.
  void collect() {
    for (Node* node : {world_.a.get(), world_.b.get()}) {
      for (Datagram& datagram : node->outbox) {
        if (datagram.type() == 4) require_new_nonce(datagram);
        network_.push_back(std::move(datagram));
      }
      node->outbox.clear();
      require(node->receiving.size() <= nsm::Sessions::kMax);
    }
    check_delivered(*world_.a, "b");
    check_delivered(*world_.b, "a");
  }

  void require_recovery() {
    network_.clear();
    for (int tries = 0; tries < 4; tries++) {
      world_.advance(60 * kSecond);
      if (world_.exchange("end")) return;
      world_.deliver();
    }
    require(false);
  }

 private:
  void talk(Node& from, nsm::Peer& to) {
    const std::string text = (&from == world_.a.get() ? "a" : "b") + std::to_string(++texts_);
    from.send_data(to, text, world_.now);
  }

  void deliver(std::size_t which) {
    if (network_.empty()) return;
    repeat(which);
    lose(which);
  }

  void repeat(std::size_t which) {
    if (network_.empty()) return;
    const Datagram copy = network_[which % network_.size()];
    (copy.to == world_.a->at ? world_.a : world_.b)->take(copy, world_.now);
  }

  void lose(std::size_t which) {
    if (!network_.empty())
      network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(which % network_.size()));
  }

  void wait(std::uint64_t ns) {
    world_.now.boot_ns += ns;
    world_.now.realtime_ns += ns;
    world_.a->clock = world_.b->clock = world_.now;
    world_.a->device.tick(world_.now);
    world_.b->device.tick(world_.now);
  }

  // Of a's engine: its sessions can receive again, with what the holder kept.
  void restart() {
    alignas(nsm::SavedPeer) std::uint8_t kept[sizeof saved_];
    std::memcpy(kept, &saved_, sizeof saved_);
    world_.a->device.remove_peer(*world_.to_b);
    std::memcpy(static_cast<void*>(&saved_), kept, sizeof saved_);
    world_.to_b = world_.a->device.add_peer(world_.config_a(wire_), &saved_, world_.now).peer;
    world_.to_b->rehandshake(world_.now);
  }

  void require_new_nonce(const Datagram& datagram) {
    const auto header = nsm::read_data_header(datagram.bytes);
    require(header && nonces_.emplace(datagram.to.address[3], header->receiver, header->counter).second);
  }

  void check_delivered(Node& node, const std::string& sender) {
    for (const std::string& text : node.delivered)
      require(text.starts_with(sender) && delivered_.insert(text).second);
    node.delivered.clear();
  }

  FuzzedInput& input_;
  inline static nsm::SavedPeer saved_;  // outlives the peers, which stay until the next input
  World::Wire wire_;
  World& world_ = nsm::fuzz::fresh_world();
  std::deque<Datagram> network_;
  std::set<std::tuple<std::uint8_t, std::uint32_t, std::uint64_t>> nonces_;  // to whom, index, counter
  std::set<std::string> delivered_;
  int texts_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMostSteps = 100;
  FuzzedInput input(data, size);
  Session session(input);
  for (int step = 0; step < kMostSteps && !input.empty(); step++) {
    session.step();
    session.collect();
  }
  session.require_recovery();
  return 0;
}
