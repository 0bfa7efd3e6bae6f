// GRO: joined packets that are split again must give the original packets, in order.
#include "core/gro.h"

#include "check.h"
#include "core/ethernet.h"
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

// The packets that the kernel makes of one super-packet written to a TUN device.
std::vector<Packet> delivered(GroPacket& gro, std::size_t ip_offset) {
  const VnetHeader header = gro.finish();
  const Packet super = flat(gro);
  const auto parsed = GsoPacket::parse(header, super, ip_offset);
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

Result join_and_split(std::vector<Packet> packets, bool udp = true, std::size_t ip_offset = 0) {
  Result result;
  GroPacket gro;
  const auto flush = [&] {
    if (gro.empty()) return;
    for (Packet& p : delivered(gro, ip_offset)) result.packets.push_back(std::move(p));
    result.supers++;
    gro.reset();
  };
  for (Packet& p : packets) {
    if (gro.add({p, ip_offset, udp})) continue;
    flush();
    CHECK(gro.add({p, ip_offset, udp}));
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

// The packet in a frame, as a TAP device carries it.
Packet framed(const Packet& ip) {
  Packet frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0};
  store_be16(frame.data() + kEtherTypeAt, ip[0] >> 4 == 4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
  frame.insert(frame.end(), ip.begin(), ip.end());
  return frame;
}

Result join_and_split_frames(std::vector<Packet> packets) {
  return join_and_split(std::move(packets), true, kEthernetBytes);
}

TEST("consecutive packets of a flow become one super-packet and come out unchanged") {
  for (const bool v6 : {false, true})
    for (const bool tcp : {false, true}) {
      const auto packets = train({.v6 = v6, .tcp = tcp}, 40);
      const Result result = join_and_split(packets);
      CHECK(result.supers == 1 && result.packets == packets);
    }
}

TEST("consecutive frames of a flow become one super-frame and come out unchanged") {
  for (const bool v6 : {false, true})
    for (const bool tcp : {false, true}) {
      auto frames = train({.v6 = v6, .tcp = tcp}, 40);
      for (Packet& p : frames) p = framed(p);
      const Result result = join_and_split_frames(frames);
      CHECK(result.supers == 1 && result.packets == frames);
    }
}

TEST("frames with different Ethernet headers, or with padding, are not joined") {
  const PacketSpec first;
  const auto alone = [&](auto spoil) {
    PacketSpec next = first;
    next.sequence += 1000;
    next.ip_id++;
    std::vector<Packet> frames = {framed(make_packet(first)), framed(make_packet(next))};
    spoil(frames[1]);
    const Result result = join_and_split_frames(frames);
    return result.supers == 2 && result.packets == frames;
  };
  CHECK(!alone([](Packet&) {}));
  CHECK(alone([](Packet& frame) { frame[5] = 9; }));        // destination
  CHECK(alone([](Packet& frame) { frame[11] = 9; }));       // source
  CHECK(alone([](Packet& frame) { frame.push_back(0); }));  // padding
  CHECK(alone([](Packet& frame) { frame.resize(1000); }));  // a truncated packet
}

TEST("a super-frame holds an IP packet as long as a super-packet") {
  auto frames = train({.payload = 1400}, 100);
  for (Packet& p : frames) p = framed(p);
  CHECK(join_and_split_frames(frames).supers == 3 && join_and_split_frames(frames).packets == frames);
}

TEST("an IP packet is found in a frame if it agrees with the EtherType") {
  for (const bool v6 : {false, true}) {
    const Packet frame = framed(make_packet({.v6 = v6}));
    const auto found = parse_ethernet_ip(frame);
    CHECK(found && found->family == (v6 ? 6 : 4) && found->total_bytes == frame.size() - kEthernetBytes);
    Packet other = frame;
    store_be16(other.data() + kEtherTypeAt, v6 ? kEtherTypeIpv4 : kEtherTypeIpv6);
    CHECK(!parse_ethernet_ip(other));
    store_be16(other.data() + kEtherTypeAt, kEtherTypeVlan);
    CHECK(!parse_ethernet_ip(other));
    for (std::size_t size = 0; size < frame.size(); size++)
      CHECK(!parse_ethernet_ip(ConstBytes(frame).first(size)));
  }
}

TEST("a super-packet never holds more than 64 packets or 64 KB") {
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

TEST("UDP packets are not joined if the TUN device lacks USO") {
  const auto packets = train({.tcp = false}, 10);
  CHECK(join_and_split(packets, false).supers == 10 && join_and_split(packets, false).packets == packets);
}

TEST("packets whose headers differ are not joined") {
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
  CHECK(alone([](Packet& p) { p[10] ^= 1; }));  // the IPv4 header checksum too
}

TEST("without DF the IPv4 ids must be consecutive") {
  auto counting = train({.dont_fragment = false}, 10);
  CHECK(join_and_split(counting).supers == 1 && join_and_split(counting).packets == counting);
  auto constant = counting;
  for (Packet& p : constant) {
    store_be16(p.data() + 4, 7);
    finish_checksums(p);
  }
  CHECK(join_and_split(constant).supers == 10 && join_and_split(constant).packets == constant);
}

TEST("any mixture comes out as it went in, except for the ids of packets with DF (RFC 6864)") {
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
