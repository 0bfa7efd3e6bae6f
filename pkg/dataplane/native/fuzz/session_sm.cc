// Two machines over a network that loses, duplicates and reorders, with clocks that jump and engines
// that restart: nothing is delivered twice, no handshake message is accepted twice, no key uses a
// counter twice, and once the network is reliable again the two can exchange data.
#include <set>

#include "core/saved-state.h"
#include "fresh-world.h"
#include "fuzzed-input.h"
#include "lossy-network.h"

namespace {

using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::test::kSecond;
using nsm::test::Node;
using nsm::test::World;

enum Side { kA, kB };
nsm::SavedPeer saved[2];  // must outlive the peers, which are destroyed by the next input

class Session {
 public:
  explicit Session(FuzzedInput& input) : input_(input) {
    std::memset(static_cast<void*>(saved), 0, sizeof saved);
    wire_.saved_a = &saved[kA];
    wire_.saved_b = &saved[kB];
    wire_.roaming = input.flag();
    wire_.keepalive_seconds = input.flag() ? 25 : 0;
    world_.connect(wire_);
    if (input.flag()) require(world_.establish());
  }

  void step() {
    event();
    network_.collect();
    check(kA);
    check(kB);
  }

  // Allows the time that one side's timers need to notice a dead session, if only that side sends.
  void require_recovery() {
    const Side side = next_side();
    for (int tries = 0; tries < 4; tries++) {
      talk(side);
      network_.collect();
      network_.deliver_all();
      if (std::ranges::count(node(other(side)).delivered, last_text_) == 1) return;
      for (int second = 0; second < 16; second++) {
        wait(kSecond);
        network_.collect();
        network_.deliver_all();
      }
    }
    require(false);
  }

 private:
  void event() {
    switch (input_.number<std::uint8_t>() % 13) {
      case 0:
      case 1:
        return talk(next_side());
      case 2:
        return network_.deliver(0);
      case 3:
        return network_.deliver_all();
      case 4:
        return network_.deliver(input_.number<std::uint8_t>());
      case 5:
        return network_.repeat(input_.number<std::uint8_t>());
      case 6:
        return network_.lose(input_.number<std::uint8_t>());
      case 7:
        return wait(input_.number<std::uint16_t>() * nsm::kNsPerMs);
      case 8:
        return wait(input_.number<std::uint8_t>() * kSecond);
      case 9:
        return peer(next_side())->rehandshake(world_.now);
      case 10:
        return node(next_side()).machine.under_load(world_.now);
      case 11:
        return set_clock(input_.number<std::int8_t>());
      case 12:
        return restart(next_side());
    }
  }

  Side next_side() { return input_.flag() ? kB : kA; }
  static Side other(Side side) { return side == kA ? kB : kA; }
  Node& node(Side side) { return side == kA ? *world_.a : *world_.b; }
  nsm::Peer*& peer(Side side) { return side == kA ? world_.to_b : world_.to_a; }

  void talk(Side side) {
    last_text_ = (side == kA ? "a" : "b") + std::to_string(++texts_);
    node(side).send_data(*peer(side), last_text_, world_.now);
  }

  void wait(std::uint64_t ns) {
    world_.now.boot_ns += ns;
    world_.now.realtime_ns += ns;
    for (const Side side : {kA, kB}) {
      node(side).clock = world_.now;
      node(side).machine.tick(world_.now);
    }
  }

  void set_clock(int hours) {
    latest_ns_ = std::max(latest_ns_, world_.now.realtime_ns);
    world_.now.realtime_ns += static_cast<std::uint64_t>(hours * 3600) * kSecond;
    if (forgot_) world_.now.realtime_ns = std::max(latest_ns_, world_.now.realtime_ns);
  }

  // A node without saved state needs a clock that never goes back; otherwise its peer takes its
  // initiations for replays, as in any WireGuard.
  void forget() {
    forgot_ = true;
    set_clock(1);
    network_.accept_again();
  }

  // Either the engine restarts, and its sessions can receive again thanks to the saved state, or the
  // whole node restarts and nothing is left.
  void restart(Side side) {
    std::array<std::uint8_t, sizeof(nsm::SavedPeer)> kept = {};
    if (input_.flag())
      forget();
    else
      std::memcpy(kept.data(), &saved[side], kept.size());
    node(side).machine.remove_peer(*peer(side));
    std::memcpy(static_cast<void*>(&saved[side]), kept.data(), kept.size());
    const nsm::PeerConfig config = side == kA ? world_.config_a(wire_) : world_.config_b(wire_);
    peer(side) = node(side).machine.add_peer(config, &saved[side], world_.now).peer;
    if (input_.flag()) peer(side)->rehandshake(world_.now);
  }

  void check(Side side) {
    require(node(side).receiving.size() <= nsm::Sessions::kMax);
    for (const std::string& text : node(side).delivered)
      require(text.starts_with(side == kA ? "b" : "a") && delivered_.insert(text).second);
    node(side).delivered.clear();
  }

  FuzzedInput& input_;
  World::Wire wire_;
  World& world_ = nsm::fuzz::fresh_world();
  nsm::fuzz::LossyNetwork network_{world_};
  std::set<std::string> delivered_;
  std::string last_text_;
  int texts_ = 0;
  std::uint64_t latest_ns_ = 0;  // the greatest time of the realtime clock so far
  bool forgot_ = false;          // whether one of the nodes lost its saved state
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMostSteps = 100;
  FuzzedInput input(data, size);
  Session session(input);
  for (int step = 0; step < kMostSteps && !input.empty(); step++) session.step();
  session.require_recovery();
  return 0;
}
