#include "world.h"

#include <algorithm>

#include "core/messages.h"

namespace nsm::test {

Node::Node(std::uint64_t seed, SocketAddress where, const SecretKey& key)
    : at(where), random(seed), indexes(random), machine(key, {suite, random, indexes, *this}) {}

bool Node::send_data(Peer& peer, const std::string& text, Now now) {
  clock = now;
  const auto found = sending.find(&peer);
  if (found == sending.end() || found->second->remaining(now.boot_ns) == 0) {
    peer.want_session(now);
    return false;
  }
  seal(peer, text);
  peer.activity().sent(now.boot_ns, true);
  return true;
}

void Node::seal(Peer& peer, const std::string& text) {
  SendKey& key = *sending.at(&peer);
  const std::size_t padded = padded_bytes(text.size(), 1420);
  Datagram out = {at, peer.endpoint(), {}};
  out.bytes.resize(kDataHeaderBytes + padded + kTagBytes);
  write_data_header(std::span<std::uint8_t, kDataHeaderBytes>(out.bytes.data(), kDataHeaderBytes),
                    {key.remote_index, key.next_counter});
  std::copy(text.begin(), text.end(), out.bytes.begin() + kDataHeaderBytes);
  AeadJob job[1] = {
      {out.bytes.data() + kDataHeaderBytes, static_cast<std::uint32_t>(padded), key.next_counter++, false}};
  key.key->seal(job);
  peer.activity().counter(key.next_counter);
  outbox.push_back(std::move(out));
}

void Node::take(const Datagram& datagram, Now now) {
  clock = now;
  if (datagram.type() == 4) return take_data(datagram, now);
  const Handled result = machine.receive(datagram.bytes, datagram.from, now);
  handled[static_cast<std::size_t>(result)]++;
}

void Node::take_data(const Datagram& datagram, Now now) {
  auto bytes = datagram.bytes;
  const auto header = read_data_header(bytes);
  if (!header || !receiving.contains(header->receiver)) return;
  auto& [peer, key] = receiving.at(header->receiver);
  const auto text_bytes = static_cast<std::uint32_t>(bytes.size() - kDataOverheadBytes);
  AeadJob job[1] = {{bytes.data() + kDataHeaderBytes, text_bytes, header->counter, false}};
  key->key->open(job);
  if (!job[0].ok || !key->usable(now.boot_ns) || !key->accept(header->counter)) return;
  key->save_counter();
  Peer& from = *peer;
  if (std::exchange(key->awaits_confirmation, false))
    machine.confirm(header->receiver, datagram.from, now);
  else
    from.roam(datagram.from);
  from.activity().received(now.boot_ns, text_bytes > 0);
  if (text_bytes > 0) delivered.emplace_back(reinterpret_cast<const char*>(bytes.data()) + kDataHeaderBytes);
}

void Node::send(const SocketAddress& to, ConstBytes bytes) noexcept {
  outbox.push_back({at, to, {bytes.begin(), bytes.end()}});
}
void Node::install_receive(Peer& peer, std::unique_ptr<ReceiveKey> key) noexcept {
  const std::uint32_t index = key->local_index;
  receiving[index] = {&peer, std::move(key)};
}
void Node::drop_receive(Peer&, std::uint32_t local_index) noexcept { receiving.erase(local_index); }
void Node::install_send(Peer& peer, std::unique_ptr<SendKey> key) noexcept {
  sending[&peer] = std::move(key);
}
void Node::drop_send(Peer& peer) noexcept { sending.erase(&peer); }
void Node::send_keepalive(Peer& peer) noexcept {
  if (!sending.contains(&peer)) return;
  keepalives++;
  seal(peer, "");
  peer.activity().sent(clock.boot_ns, false);
}
void Node::endpoint_moved(Peer&, const SocketAddress& to) noexcept { moves.push_back(to); }

World::World(std::uint64_t seed) : random(seed) {
  now = {1000 * kSecond, 1'800'000'000 * kSecond};
  for (SecretKey* key : {&key_a, &key_b, &wire_key_a, &wire_key_b}) random.fill(*key);
  a = std::make_unique<Node>(seed + 1, address4(0x0a000001, 51820), key_a);
  b = std::make_unique<Node>(seed + 2, address4(0x0a000002, 51820), key_b);
}

PeerConfig World::config_a(const Wire& wire) const {
  PeerConfig config;
  if (!wire.same_key) config.initiator_private = wire_key_a;
  config.remote_responder = b->machine.public_key();
  config.remote_initiator = wire.same_key ? b->machine.public_key() : X25519Key(wire_key_b).public_key();
  config.preshared = wire.preshared_a;
  config.algorithm = wire.algorithm;
  config.endpoint = b->at;
  config.roaming = wire.roaming;
  config.keepalive_seconds = wire.keepalive_seconds;
  return config;
}

PeerConfig World::config_b(const Wire& wire) const {
  PeerConfig config;
  if (!wire.same_key) config.initiator_private = wire_key_b;
  config.remote_responder = a->machine.public_key();
  config.remote_initiator = wire.same_key ? a->machine.public_key() : X25519Key(wire_key_a).public_key();
  config.preshared = wire.preshared_b;
  config.algorithm = wire.algorithm;
  config.endpoint = a->at;
  config.roaming = wire.roaming;
  return config;
}

void World::connect(const Wire& wire) {
  to_b = a->machine.add_peer(config_a(wire), wire.saved_a, now).peer;
  to_a = b->machine.add_peer(config_b(wire), wire.saved_b, now).peer;
}

void World::deliver() {
  while (!a->outbox.empty() || !b->outbox.empty()) {
    Node& sender = a->outbox.empty() ? *b : *a;
    const Datagram datagram = std::move(sender.outbox.front());
    sender.outbox.pop_front();
    seen.push_back(datagram);
    if (drops && drops(datagram)) continue;
    if (datagram.to == a->at) a->take(datagram, now);
    if (datagram.to == b->at) b->take(datagram, now);
  }
}

void World::advance(std::uint64_t ns) {
  const std::uint64_t until = now.boot_ns + ns;
  for (;;) {
    a->clock = b->clock = now;
    const std::uint64_t next = std::min(a->machine.tick(now), b->machine.tick(now));
    deliver();
    if (now.boot_ns >= until) return;
    const std::uint64_t to = std::min(until, std::max(next, now.boot_ns + kNsPerMs));
    now.realtime_ns += to - now.boot_ns;
    now.boot_ns = to;
  }
}

bool World::establish() {
  a->send_data(*to_b, "", now);
  deliver();
  return to_b->state(now) == SessionState::kEstablished && to_a->state(now) == SessionState::kEstablished;
}

bool World::exchange(const std::string& text) {
  a->delivered.clear();
  b->delivered.clear();
  if (!a->send_data(*to_b, text, now) || !b->send_data(*to_a, text, now)) return false;
  deliver();
  return a->delivered == std::vector{text} && b->delivered == std::vector{text};
}

std::vector<Datagram> World::seen_of_type(std::uint8_t type) const {
  std::vector<Datagram> out;
  std::copy_if(seen.begin(), seen.end(), std::back_inserter(out),
               [&](const Datagram& d) { return d.type() == type; });
  return out;
}

}  // namespace nsm::test
