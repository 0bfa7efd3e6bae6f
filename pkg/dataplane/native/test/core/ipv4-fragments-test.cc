// Fragments of IPv4 packets: every receiver puts them together to the packet, whatever the lengths, the
// options, and the fragment that the packet may be itself.
#include "core/ipv4-fragments.h"

#include "check.h"
#include "reassembly.h"
#include "seeded-random.h"

namespace nsm::test {
namespace {

std::vector<Packet> fragments_of(const Packet& frame, std::size_t ip_offset, std::uint32_t mtu_bytes) {
  const Ipv4Fragments fragments(frame, ip_offset, mtu_bytes);
  std::vector<Packet> all;
  for (std::size_t i = 0; i < fragments.count(); i++) {
    Packet out(fragments.fragment_bytes());
    out.resize(fragments.write(i, out));
    all.push_back(out);
  }
  return all;
}

// A UDP packet without DF, with these options.
Packet with_options(const Packet& options, std::size_t payload) {
  Packet packet = make_packet({.tcp = false, .payload = payload, .dont_fragment = false});
  packet.insert(packet.begin() + 20, options.begin(), options.end());
  packet[0] = static_cast<std::uint8_t>(0x40 | ((20 + options.size()) / 4));
  store_be16(&packet[2], static_cast<std::uint16_t>(packet.size()));
  return packet;
}

TEST("only IPv4 packets without DF may be fragmented") {
  const auto allows = [](const Packet& packet) {
    return Ipv4Fragments::allows(*parse_inner_ip(packet), packet);
  };
  CHECK(allows(make_packet({.dont_fragment = false})));
  CHECK(!allows(make_packet({})) && !allows(make_packet({.v6 = true})));
}

TEST("a ping of 1,428 bytes is two fragments behind a hole of 1,240, as the kernel would make them") {
  const Packet packet = make_packet({.tcp = false, .payload = 1400, .dont_fragment = false});
  const auto fragments = fragments_of(packet, 0, 1240);
  CHECK(fragments.size() == 2 && fragments[0].size() == 1236 && fragments[1].size() == 1428 - 1216);
  CHECK(has_more(fragments[0]) && offset_of(fragments[0]) == 0);
  CHECK(!has_more(fragments[1]) && offset_of(fragments[1]) == 1216);
  for (const Packet& fragment : fragments) {
    CHECK(is_fragment_sound(fragment, 1240) && load_be16(&fragment[4]) == load_be16(&packet[4]));
    CHECK(fragment[8] == packet[8] && fragment[9] == packet[9]);
  }
  CHECK(reassemble(fragments, packet) == packet);
}

TEST("options that are not copied are in the first fragment alone") {
  // Record route (7), strict source route (137, copied), end of options.
  const Packet options = {7, 7, 4, 0, 0, 0, 0, 137, 7, 4, 1, 2, 3, 4, 0, 0};
  const Packet packet = with_options(options, 1000);
  const auto fragments = fragments_of(packet, 0, 576);
  CHECK(fragments.size() == 2);
  CHECK(std::equal(options.begin(), options.end(), fragments[0].begin() + 20));
  const Packet cleared = {1, 1, 1, 1, 1, 1, 1, 137, 7, 4, 1, 2, 3, 4, 0, 0};
  CHECK(std::equal(cleared.begin(), cleared.end(), fragments[1].begin() + 20));
  CHECK(reassemble(fragments, packet) == packet);
}

TEST("options that nobody can read are left as they are, and read no further than the header") {
  for (const Packet& options : {Packet{7, 0, 9, 9}, Packet{7, 200, 9, 9}, Packet{1, 1, 1, 7}}) {
    const Packet packet = with_options(options, 1000);
    for (const Packet& fragment : fragments_of(packet, 0, 576))
      CHECK(std::equal(options.begin(), options.end(), fragment.begin() + 20));
  }
}

TEST("a fragment is fragmented again, and keeps its place and what follows it") {
  Packet packet = make_packet({.tcp = false, .payload = 1000, .dont_fragment = false});
  store_be16(&packet[6], 0x2000 | 185);
  const auto fragments = fragments_of(packet, 0, 576);
  CHECK(offset_of(fragments[0]) == 185 * 8 && has_more(fragments.back()));
  CHECK(reassemble(fragments, packet) == packet);
}

TEST("the link header is in front of every fragment, and padding behind the packet in none") {
  const Packet packet = make_packet({.tcp = false, .payload = 1400, .dont_fragment = false});
  Packet frame(14, 0xab);
  frame.insert(frame.end(), packet.begin(), packet.end());
  frame.resize(frame.size() + 7, 0xee);
  std::vector<Packet> inner;
  for (const Packet& each : fragments_of(frame, 14, 1000)) {
    CHECK(std::equal(each.begin(), each.begin() + 14, frame.begin()));
    inner.emplace_back(each.begin() + 14, each.end());
  }
  CHECK(reassemble(inner, packet) == packet);
}

TEST("100,000 packets of any length and options are put together again behind any MTU") {
  SeededRandom random(7);
  for (int round = 0; round < 100'000; round++) {
    Packet options(random.below(11) * 4);
    for (std::uint8_t& byte : options) byte = static_cast<std::uint8_t>(random.below(256));
    const auto mtu_bytes = static_cast<std::uint32_t>(68 + random.below(round % 50 == 0 ? 20'000 : 600));
    Packet packet = with_options(options, random.below(round % 50 == 0 ? 60'000 : 1'500));
    if (packet.size() <= mtu_bytes) continue;
    const bool may_be_fragment = (packet.size() - header_bytes_of(packet)) % 8 == 0;
    if (may_be_fragment && random.below(2) == 0)
      store_be16(&packet[6], static_cast<std::uint16_t>(random.below(0x2000) | 0x2000));
    const auto fragments = fragments_of(packet, 0, mtu_bytes);
    for (const Packet& fragment : fragments) CHECK(is_fragment_sound(fragment, mtu_bytes));
    CHECK(offset_of(packet) + packet.size() > 65'535 || reassemble(fragments, packet) == packet);
    for (std::size_t i = 1; i < fragments.size(); i++) {
      const Packet kept = copied_options(packet);
      CHECK(std::equal(kept.begin(), kept.end(), fragments[i].begin() + 20));
    }
  }
}

}  // namespace
}  // namespace nsm::test
