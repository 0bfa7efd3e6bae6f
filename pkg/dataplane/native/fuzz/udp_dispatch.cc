// Arbitrary datagrams to a machine that is idle, waits for a response, has a session, or is under load:
// nothing from an attacker without keys changes its state, and it answers with at most a cookie reply,
// which is shorter than the datagram.
#include "core/cookie.h"
#include "fuzzed-input.h"
#include "test/core/world.h"

namespace {

using nsm::Handled;
using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::test::Node;
using nsm::test::World;

enum State { kIdle, kWaiting, kEstablished, kLoaded, kStates };

// Created once, because no input may change them.
World& world_in(State state) {
  static std::array<std::unique_ptr<World>, kStates> worlds;
  if (worlds[state]) return *worlds[state];
  worlds[state] = std::make_unique<World>();
  World& world = *worlds[state];
  world.connect();
  if (state == kEstablished || state == kLoaded) require(world.establish());
  if (state == kLoaded) world.a->machine.under_load(world.now);
  if (state == kWaiting) world.to_b->rehandshake(world.now);
  return world;
}

// The receiver index that a response or data message must have; 0 if there is none.
std::uint32_t known_index(World& world, State state) {
  if (state == kIdle) return 0;
  static const std::uint32_t waiting =
      nsm::load_le<std::uint32_t>(world_in(kWaiting).a->outbox.front().bytes.data() + sizeof(nsm::TypeField));
  return state == kWaiting ? waiting : world.a->receiving.begin()->first;
}

void write_mac1(std::vector<std::uint8_t>& bytes, const nsm::Key& owner) {
  const nsm::Mac mac1 = nsm::blake2s_mac(nsm::mac1_key(owner), nsm::before_mac1(bytes));
  std::ranges::copy(mac1, bytes.end() - 2 * nsm::kMacBytes);
}

// Raw bytes, or a message of a valid type and length whose public parts are correct.
std::vector<std::uint8_t> next_datagram(FuzzedInput& input, World& world, std::uint32_t index) {
  const std::uint8_t shape = input.number<std::uint8_t>();
  const std::uint8_t type = shape & 7;
  std::vector<std::uint8_t> bytes(input.rest().begin(), input.rest().end());
  if (type == 0 || type > 4) return bytes;
  constexpr std::array<std::size_t, 4> kSizes = {sizeof(nsm::Initiation), sizeof(nsm::Response),
                                                 sizeof(nsm::CookieReply), 64};
  bytes.resize(kSizes[type - 1u]);
  nsm::store_le<std::uint32_t>(bytes.data(), type);
  if ((shape & 8) != 0) nsm::store_le(bytes.data() + (type == 2 ? 8 : 4), index);
  const bool initiation = type == 1;
  if ((shape & 16) != 0 && type <= 2)
    write_mac1(bytes, initiation ? world.a->machine.public_key() : world.to_b->initiator_public());
  return bytes;
}

bool well_formed(nsm::ConstBytes bytes) {
  if (bytes.size() < 4 || bytes[1] != 0 || bytes[2] != 0 || bytes[3] != 0) return false;
  return (bytes[0] == 1 && bytes.size() == 148) || (bytes[0] == 2 && bytes.size() == 92) ||
         (bytes[0] == 3 && bytes.size() == 64);
}

// A wrong mac1 is detected before anything else but the receiver index of a response.
void check_mac1(nsm::ConstBytes bytes, Handled result, const World& world) {
  const nsm::Key& owner = bytes[0] == 1 ? world.a->machine.public_key() : world.to_b->initiator_public();
  if (bytes[0] == 3 || result == Handled::kUnknownIndex) return;
  require((result == Handled::kBadMac1) == !nsm::mac1_valid(nsm::mac1_key(owner), bytes));
}

// The state that an attacker without keys must not change.
auto state_of(const World& world) {
  const Node& a = *world.a;
  return std::tuple(a.receiving.size(), a.sending.size(), a.delivered.size(), a.moves.size(), a.ups, a.downs,
                    a.keepalives, world.to_b->state(world.now), world.to_b->endpoint());
}

void check_replies(const Node& node, Handled result, nsm::ConstBytes datagram) {
  if (result != Handled::kCookieSent) return require(node.outbox.empty());
  require(node.outbox.size() == 1);
  const auto& reply = node.outbox.front();
  require(reply.bytes.size() == sizeof(nsm::CookieReply) && reply.bytes.size() < datagram.size());
  require(reply.type() == 3 && std::equal(reply.bytes.begin() + 4, reply.bytes.begin() + 8, &datagram[4]));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  const auto state = static_cast<State>(input.number<std::uint8_t>() % kStates);
  World& world = world_in(state);
  Node& node = *world.a;
  const std::uint32_t index = known_index(world, state);
  const auto bytes = next_datagram(input, world, index);
  const auto before = state_of(world);
  node.outbox.clear();

  const nsm::SocketAddress stranger = nsm::test::address4(0xc6336401, 6666);
  const Handled result = node.machine.receive(bytes, stranger, world.now);
  require(result != Handled::kAccepted && (result == Handled::kMalformed) == !well_formed(bytes));
  if (result != Handled::kMalformed) check_mac1(bytes, result, world);
  require(result != Handled::kCookieSent || state == kLoaded);
  check_replies(node, result, bytes);
  if (!bytes.empty() && bytes[0] == 4) node.take({stranger, node.at, bytes}, world.now);
  require(state_of(world) == before);

  const bool mac1_right = bytes.size() == sizeof(nsm::Initiation) &&
                          nsm::mac1_valid(nsm::mac1_key(node.machine.public_key()), bytes);
  require(nsm::Mac1Filter(node.machine.public_key()).passes(bytes) == mac1_right);
  return 0;
}
