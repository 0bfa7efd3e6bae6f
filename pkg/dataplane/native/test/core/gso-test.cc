// GSO: splitting compared with a naive model, and with wrong headers.
#include "core/gso.h"

#include <cstring>

#include "check.h"
#include "packets.h"
#include "seeded-random.h"

namespace nsm::test {
namespace {

VnetHeader header_for(const PacketSpec& s, std::uint16_t gso_bytes, std::size_t ip_offset = 0) {
  VnetHeader h;
  h.flags = kVnetNeedsChecksum;
  h.gso_type = !s.tcp ? kGsoUdpL4 : s.v6 ? kGsoTcp6 : kGsoTcp4;
  h.gso_bytes = gso_bytes;
  h.csum_start = static_cast<std::uint16_t>(ip_offset + (s.v6 ? 40 : 20));
  h.csum_offset = s.tcp ? 16 : 6;
  h.header_bytes = 0xbeef;  // must be ignored
  return h;
}

// The segments that the kernel would send: each built from its description, not by cutting.
std::vector<Packet> expected_segments(const PacketSpec& super, std::size_t gso_bytes) {
  std::vector<Packet> out;
  const std::size_t count = std::max<std::size_t>(1, (super.payload + gso_bytes - 1) / gso_bytes);
  for (std::size_t i = 0; i < count; i++) {
    PacketSpec s = super;
    s.payload = std::min(gso_bytes, super.payload - i * gso_bytes);
    s.sequence += static_cast<std::uint32_t>(i * gso_bytes);
    s.ip_id = static_cast<std::uint16_t>(s.ip_id + i);
    s.fill = static_cast<std::uint8_t>(super.fill + i * gso_bytes * 7);
    if (i + 1 < count) s.flags &= 0xf6;  // FIN and PSH only on the last segment
    if (i > 0) s.flags &= 0x7f;          // CWR only on the first segment
    out.push_back(make_packet(s));
  }
  return out;
}

std::vector<Packet> split(const GsoPacket& packet) {
  std::vector<Packet> out;
  for (std::size_t i = 0; i < packet.segments(); i++) {
    Packet segment(packet.segment_bytes());
    segment.resize(packet.write(i, segment));
    out.push_back(segment);
  }
  return out;
}

TEST("splitting equals the naive model for TCP and UDP over IPv4 and IPv6") {
  SeededRandom random(1);
  for (int round = 0; round < 1500; round++) {
    PacketSpec s;
    s.v6 = random.below(2) == 0;
    s.tcp = random.below(3) != 0;
    s.tcp_options = static_cast<std::uint8_t>(random.below(11) * 4);
    s.payload = random.below(round % 50 == 0 ? 60000 : 6000);
    s.sequence = static_cast<std::uint32_t>(random.below(1ull << 32));
    s.ip_id = static_cast<std::uint16_t>(random.below(65536));
    s.flags = static_cast<std::uint8_t>(random.below(256));
    s.fill = static_cast<std::uint8_t>(random.below(256));
    const auto gso_bytes =
        static_cast<std::uint16_t>(s.payload / GsoPacket::kMaxSegments + 1 + random.below(1400));
    const Packet super = make_packet(s);
    const auto parsed = GsoPacket::parse(header_for(s, gso_bytes), super, 0);
    if (CHECK(parsed.has_value())) CHECK(split(*parsed) == expected_segments(s, gso_bytes));
  }
}

TEST("every segment from a TAP device begins with the Ethernet header") {
  const PacketSpec s = {.payload = 3000};
  Packet frame(14, 0xee);
  const Packet super = make_packet(s);
  frame.insert(frame.end(), super.begin(), super.end());
  const auto parsed = GsoPacket::parse(header_for(s, 1000, 14), frame, 14);
  if (!CHECK(parsed && parsed->segments() == 3)) return;
  for (std::size_t i = 0; i < 3; i++) {
    const Packet segment = split(*parsed)[i];
    CHECK(Packet(segment.begin(), segment.begin() + 14) == Packet(14, 0xee));
    CHECK(Packet(segment.begin() + 14, segment.end()) == expected_segments(s, 1000)[i]);
  }
}

TEST("a packet without GSO passes, with its checksum completed if requested") {
  for (const bool tcp : {true, false}) {
    PacketSpec s;
    s.tcp = tcp;
    const Packet whole = make_packet(s);
    Packet partial = whole;
    const Packet pseudo = [&] {
      Packet all = summed_part(whole);
      all.resize(8 + 8);
      return all;
    }();
    store_be16(partial.data() + 20 + (tcp ? 16 : 6), static_cast<std::uint16_t>(~naive_checksum(pseudo)));
    VnetHeader h = header_for(s, 0);
    h.gso_type = kGsoNone;
    const auto parsed = GsoPacket::parse(h, partial, 0);
    CHECK(parsed && parsed->segments() == 1 && split(*parsed).at(0) == whole);
    const auto untouched = GsoPacket::parse(VnetHeader(), partial, 0);
    CHECK(untouched && split(*untouched).at(0) == partial);
  }
}

TEST("a UDP checksum of zero is sent as 0xffff") {
  SeededRandom random(2);
  bool seen = false;
  for (int i = 0; i < 200000 && !seen; i++) {
    PacketSpec s = {
        .tcp = false, .source_port = static_cast<std::uint16_t>(random.below(65536)), .payload = 2};
    s.fill = static_cast<std::uint8_t>(random.below(256));
    const Packet p = make_packet(s);
    if (load_be16(p.data() + 26) != 0xffff) continue;
    seen = true;
    const auto parsed = GsoPacket::parse(header_for(s, 100), p, 0);
    CHECK(parsed && split(*parsed).at(0) == p);
  }
  CHECK(seen);
}

TEST("wrong vnet headers are refused") {
  const PacketSpec s;
  const Packet super = make_packet(s);
  const VnetHeader good = header_for(s, 100);
  CHECK(GsoPacket::parse(good, super, 0).has_value());
  const auto refused = [&](auto spoil) {
    VnetHeader h = good;
    spoil(h);
    return !GsoPacket::parse(h, super, 0).has_value();
  };
  CHECK(refused([](VnetHeader& h) { h.gso_bytes = 0; }));
  CHECK(refused([](VnetHeader& h) { h.gso_bytes = 1; }));  // 1000 segments
  CHECK(refused([](VnetHeader& h) { h.flags = 0; }));
  CHECK(refused([](VnetHeader& h) { h.csum_start = 0; }));
  CHECK(refused([](VnetHeader& h) { h.csum_start = 0xffff; }));
  CHECK(refused([](VnetHeader& h) { h.csum_offset = 0xffff; }));
  CHECK(refused([](VnetHeader& h) { h.csum_offset = 6; }));
  for (const int type : {2, 3, 6, 7, 0x40, 0x80, 0x85, 0xff})
    CHECK(refused([&](VnetHeader& h) { h.gso_type = static_cast<std::uint8_t>(type); }));
  CHECK(refused([](VnetHeader& h) { h.gso_type = kGsoTcp6; }));
  CHECK(refused([](VnetHeader& h) { h.gso_type = kGsoUdpL4; }));
  CHECK(refused([](VnetHeader& h) { h.gso_type = kGsoNone, h.csum_start = 1020, h.csum_offset = 500; }));
  CHECK(refused([](VnetHeader& h) { h.gso_type = kGsoNone, h.csum_start = 0xffff, h.csum_offset = 0xffff; }));
  CHECK(!GsoPacket::parse(good, {}, 0).has_value());
}

TEST("IPv6 extension headers are repeated in each segment") {
  const PacketSpec s = {.v6 = true, .payload = 2500};
  Packet super = make_packet(s);
  const std::uint8_t options[8] = {6, 0, 1, 4,
                                   0, 0, 0, 0};  // destination options with padding, followed by TCP
  super.insert(super.begin() + 40, options, options + 8);
  super[6] = 60;
  VnetHeader h = header_for(s, 1000);
  h.csum_start = 48;
  const auto parsed = GsoPacket::parse(h, super, 0);
  if (!CHECK(parsed && parsed->segments() == 3)) return;
  const auto expected = expected_segments(s, 1000);
  for (std::size_t i = 0; i < 3; i++) {
    Packet segment = split(*parsed)[i];
    CHECK(segment[6] == 60 && std::memcmp(segment.data() + 40, options, 8) == 0);
    segment.erase(segment.begin() + 40, segment.begin() + 48);
    segment[6] = 6;
    store_be16(segment.data() + 4, static_cast<std::uint16_t>(segment.size() - 40));
    CHECK(segment == expected[i]);
  }
}

TEST("completing a checksum never writes into the IP header, whose addresses are already checked") {
  for (const bool v6 : {false, true}) {
    const Packet packet = make_packet({.v6 = v6});
    const std::size_t header = ip_bytes(packet);
    VnetHeader h;
    h.flags = kVnetNeedsChecksum;
    for (std::uint16_t start = 0; start < 80; start++)
      for (std::uint16_t offset = 0; offset < 20; offset++) {
        h.csum_start = start, h.csum_offset = offset;
        const auto parsed = GsoPacket::parse(h, packet, 0);
        CHECK(parsed.has_value() == (start >= header));
        if (!parsed) continue;
        const Packet out = split(*parsed).at(0);
        CHECK(std::equal(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(header), packet.begin()));
      }
  }
}

// AddressSanitizer would report any access out of bounds.
TEST("random vnet headers on random and truncated packets cause no access out of bounds") {
  SeededRandom random(3);
  int accepted = 0;
  for (int round = 0; round < 200000; round++) {
    PacketSpec s;
    s.v6 = random.below(2) == 0;
    s.tcp = random.below(2) == 0;
    s.payload = random.below(300);
    Packet packet = make_packet(s);
    VnetHeader h = header_for(s, static_cast<std::uint16_t>(random.below(200)));
    Bytes raw(reinterpret_cast<std::uint8_t*>(&h), sizeof h);
    for (std::uint64_t i = random.below(3); i > 0; i--)
      raw[random.below(raw.size())] = static_cast<std::uint8_t>(random.below(256));
    for (std::uint64_t i = random.below(4); i > 0; i--)
      packet[random.below(std::min<std::size_t>(packet.size(), 60))] =
          static_cast<std::uint8_t>(random.below(256));
    if (random.below(4) == 0) packet.resize(random.below(packet.size()));
    packet.shrink_to_fit();
    const auto parsed = GsoPacket::parse(h, packet, random.below(8) == 0 ? 14 : 0);
    if (!parsed) continue;
    accepted++;
    for (const Packet& segment : split(*parsed)) CHECK(segment.size() <= parsed->segment_bytes());
  }
  CHECK(accepted > 10000);
}

}  // namespace
}  // namespace nsm::test
