// Joining, judged by splitting again: what goes in must come out, in order.
#include "core/gro.h"

#include "check.h"
#include "core/gso.h"
#include "packets.h"
#include "seeded-random.h"

namespace nsm::test {
namespace {

Packet flat(const GroPacket& gro) {
  Packet out;
  for (const Bytes piece : gro.pieces()) out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

// What the kernel behind the TUN delivers of one super-packet.
std::vector<Packet> delivered(GroPacket& gro) {
  const VnetHeader header = gro.finish();
  const Packet super = flat(gro);
  const auto parsed = GsoPacket::parse(header, super, 0);
  std::vector<Packet> out;
  if (!CHECK(parsed.has_value())) return out;
  for (std::size_t i = 0; i < parsed->segments(); i++) {
    Packet segment(parsed->segment_bytes());
    segment.resize(parsed->write(i, segment));
    out.push_back(segment);
  }
  return out;
}

struct Result {
  std::vector<Packet> packets;
  std::size_t supers = 0;
};

Result join_and_split(std::vector<Packet> packets, bool udp = true) {
  Result result;
  GroPacket gro;
  const auto flush = [&] {
    if (gro.empty()) return;
    for (Packet& p : delivered(gro)) result.packets.push_back(std::move(p));
    result.supers++;
    gro.reset();
  };
  for (Packet& p : packets) {
    if (gro.add(p, udp)) continue;
    flush();
    CHECK(gro.add(p, udp));
  }
  flush();
  return result;
}

std::vector<Packet> train(PacketSpec s, std::size_t count) {
  std::vector<Packet> out;
  for (std::size_t i = 0; i < count; i++) {
    out.push_back(make_packet(s));
    s.sequence += static_cast<std::uint32_t>(s.payload);
    s.ip_id++;
  }
  return out;
}

TEST("a train of one flow becomes one super-packet and comes out unchanged") {
  for (const bool v6 : {false, true})
    for (const bool tcp : {false, true}) {
      const auto packets = train({.v6 = v6, .tcp = tcp}, 40);
      const Result result = join_and_split(packets);
      CHECK(result.supers == 1 && result.packets == packets);
    }
}

TEST("never more than 64 packets or 64 KB in one") {
  const auto small = train({.payload = 10}, 200);
  CHECK(join_and_split(small).supers == 4 && join_and_split(small).packets == small);
  const auto large = train({.payload = 1400}, 100);
  CHECK(join_and_split(large).supers == 3 && join_and_split(large).packets == large);
}

TEST("a short packet and one with PSH end a super-packet") {
  auto packets = train({.payload = 1000}, 3);
  packets.push_back(make_packet({.sequence = 3001, .ip_id = 10, .payload = 10}));
  packets.push_back(make_packet({.sequence = 3011, .flags = 0x18, .ip_id = 11, .payload = 1000}));
  packets.push_back(make_packet({.sequence = 4011, .ip_id = 12, .payload = 1000}));
  const Result result = join_and_split(packets);
  CHECK(result.supers == 3 && result.packets == packets);
}

TEST("PSH of the last packet is kept") {
  auto packets = train({.payload = 1000}, 3);
  packets.push_back(make_packet({.sequence = 3001, .flags = 0x18, .ip_id = 10, .payload = 1000}));
  const Result result = join_and_split(packets);
  CHECK(result.supers == 1 && result.packets == packets);
}

TEST("UDP stays alone where the TUN does not take it") {
  const auto packets = train({.tcp = false}, 10);
  CHECK(join_and_split(packets, false).supers == 10 && join_and_split(packets, false).packets == packets);
}

TEST("what differs is not joined") {
  const PacketSpec first;
  PacketSpec next = first;
  next.sequence += 1000;
  next.ip_id++;
  const auto alone = [&](auto spoil) {
    Packet second = make_packet(next);
    spoil(second);
    const std::vector<Packet> packets = {make_packet(first), second};
    const Result result = join_and_split(packets);
    return result.supers == 2 && result.packets == packets;
  };
  const auto patched = [&](std::size_t at, std::uint8_t value) {
    return alone([&](Packet& p) {
      p[at] = value;
      finish_checksums(p);
    });
  };
  CHECK(!alone([](Packet&) {}));
  CHECK(patched(1, 1));                         // DSCP
  CHECK(patched(8, 63));                        // TTL
  CHECK(patched(6, 0));                         // DF
  CHECK(patched(15, 9));                        // source address
  CHECK(patched(20, 9));                        // source port
  CHECK(patched(27, 9));                        // sequence
  CHECK(patched(31, 9));                        // acknowledgement
  CHECK(patched(33, 0x11));                     // FIN
  CHECK(patched(33, 0x12));                     // SYN
  CHECK(patched(33, 0x14));                     // RST
  CHECK(patched(33, 0x30));                     // URG
  CHECK(patched(33, 0x90));                     // CWR
  CHECK(patched(35, 9));                        // window
  CHECK(patched(45, 9));                        // options
  CHECK(alone([](Packet& p) { p[60] ^= 1; }));  // a wrong checksum must stay visible
}

TEST("without DF the ids have to count up") {
  auto counting = train({.dont_fragment = false}, 10);
  CHECK(join_and_split(counting).supers == 1 && join_and_split(counting).packets == counting);
  auto constant = counting;
  for (Packet& p : constant) {
    store_be16(p.data() + 4, 7);
    finish_checksums(p);
  }
  CHECK(join_and_split(constant).supers == 10 && join_and_split(constant).packets == constant);
}

TEST("any mixture comes out as it went in, except for ids that nobody may look at") {
  SeededRandom random(9);
  for (int round = 0; round < 300; round++) {
    std::vector<Packet> packets;
    PacketSpec s;
    for (int i = 0; i < 60; i++) {
      if (random.below(8) == 0) s.tcp = !s.tcp;
      if (random.below(12) == 0) s.v6 = !s.v6;
      if (random.below(8) == 0) s.sequence++;
      if (random.below(8) == 0) s.source_port = static_cast<std::uint16_t>(1000 + random.below(2));
      s.flags = random.below(10) == 0 ? 0x18 : random.below(20) == 0 ? 0x11 : 0x10;
      s.payload = random.below(6) == 0 ? random.below(1300) : 1200;
      packets.push_back(make_packet(s));
      if (random.below(25) == 0) packets.back()[random.below(packets.back().size())] ^= 0x04;
      s.sequence += static_cast<std::uint32_t>(s.payload);
      s.ip_id++;
    }
    // A changed length field is refused before joining; here it must only not crash.
    const auto whole = [](const Packet& p) {
      const std::size_t said = p[0] >> 4 == 4 ? load_be16(p.data() + 2) : load_be16(p.data() + 4) + 40u;
      return said == p.size() && (p[0] == 0x45 || p[0] == 0x60);
    };
    std::erase_if(packets, [&](const Packet& p) { return !whole(p); });
    CHECK(join_and_split(packets).packets == packets);
  }
}

}  // namespace
}  // namespace nsm::test
