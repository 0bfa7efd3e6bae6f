#include "core/inner-ip.h"

#include "check.h"
#include "packets.h"
#include "seeded-random.h"

namespace nsm::test {
namespace {

Prefix prefix4(std::uint32_t address, std::uint8_t length) {
  Prefix p = {4, length, {}};
  store_be32(p.address.data(), address);
  return p;
}

PrefixList list(std::initializer_list<Prefix> prefixes) {
  PrefixList out;
  for (const Prefix& p : prefixes) CHECK(out.add(p));
  return out;
}

const Prefix kV6Local = {6, 128, {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
const Prefix kV6Remote = {6, 128, {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};

TEST("the header gives the length of a well-formed packet; what follows is padding") {
  for (const bool v6 : {false, true}) {
    Packet p = make_packet({.v6 = v6, .payload = 10});
    const std::size_t size = p.size();
    p.resize(size + 15);
    const auto ip = parse_inner_ip(p);
    CHECK(ip && ip->total_bytes == size && ip->family == (v6 ? 6 : 4) && ip->protocol == 6 && !ip->fragment);
  }
}

struct Malformed {
  const char* what;
  bool v6;
  std::size_t at;
  std::uint8_t value;
};

TEST("malformed headers are refused") {
  for (const Malformed& m : {Malformed{"version 0", false, 0, 0x05},
                             {"version 5", false, 0, 0x55},
                             {"version 15", false, 0, 0xf5},
                             {"ihl 4", false, 0, 0x44},
                             {"ihl 0", false, 0, 0x40},
                             {"total length beyond the packet", false, 2, 0xff},
                             {"IPv6 length beyond the packet", true, 4, 0xff}}) {
    Packet p = make_packet({.v6 = m.v6, .payload = 10});
    p[m.at] = m.value;
    if (!CHECK(!parse_inner_ip(p).has_value())) std::printf("  %s\n", m.what);
  }
  Packet tiny = make_packet({.payload = 10});
  store_be16(tiny.data() + 2, 19);
  CHECK(!parse_inner_ip(tiny));
  Packet jumbo = make_packet({.v6 = true, .payload = 10});
  store_be16(jumbo.data() + 4, 0);
  jumbo[6] = 0;
  CHECK(!parse_inner_ip(jumbo));
}

TEST("every truncation is refused") {
  for (const bool v6 : {false, true}) {
    const Packet p = make_packet({.v6 = v6, .payload = 30});
    for (std::size_t size = 0; size < p.size(); size++) {
      const Packet cut(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(size));
      CHECK(!parse_inner_ip(cut).has_value());
    }
  }
}

TEST("only allowed addresses pass, each in its own field") {
  const PrefixList local = list({prefix4(0x0a000001, 32), kV6Local});
  const PrefixList remote = list({prefix4(0x0a000002, 32), kV6Remote});
  for (const bool v6 : {false, true}) {
    const Packet p = make_packet({.v6 = v6});
    const auto ip = *parse_inner_ip(p);
    CHECK(check_inner(ip, local, remote) == InnerVerdict::kPass);
    CHECK(check_inner(ip, remote, remote) == InnerVerdict::kSource);
    CHECK(check_inner(ip, local, local) == InnerVerdict::kDestination);
    CHECK(check_inner(ip, PrefixList(), remote) == InnerVerdict::kSource);
  }
}

TEST("an IPv6 address that embeds an IPv4 one passes under no prefix") {
  const Prefix everything = {6, 0, {}};
  Packet p = make_packet({.v6 = true});
  std::fill_n(p.begin() + 8, 10, 0);
  p[18] = p[19] = 0xff;
  CHECK(check_inner(*parse_inner_ip(p), list({everything, prefix4(0, 0)}), list({everything})) ==
        InnerVerdict::kSource);
}

TEST("fragments are distinguished from whole packets that may be fragmented") {
  for (const auto& [field, fragment] : {std::pair<std::uint16_t, bool>{0, false},
                                        {0x4000, false},
                                        {0x2000, true},
                                        {1, true},
                                        {0x2001, true}}) {
    Packet p = make_packet({});
    store_be16(p.data() + 6, field);
    CHECK(parse_inner_ip(p)->fragment == fragment);
  }
}

TEST("matching prefixes equals the bit-by-bit model") {
  SeededRandom random(4);
  for (int round = 0; round < 20000; round++) {
    const bool v6 = random.below(2) == 0;
    Prefix p = {
        static_cast<std::uint8_t>(v6 ? 6 : 4), static_cast<std::uint8_t>(random.below(v6 ? 129 : 33)), {}};
    random.fill(p.address);
    auto other = p.address;
    const std::size_t bits = v6 ? 128 : 32;
    if (random.below(4) != 0) {
      const std::size_t flip = random.below(bits);
      other[flip / 8] ^= static_cast<std::uint8_t>(0x80 >> flip % 8);
    }
    bool expected = true;
    for (std::size_t bit = 0; bit < p.length; bit++)
      expected = expected && ((other[bit / 8] ^ p.address[bit / 8]) & (0x80 >> bit % 8)) == 0;
    CHECK(p.contains(other.data()) == expected);
  }
}

TEST("prefixes with an unknown family or too great a length are refused, and so is the 129th") {
  PrefixList l;
  CHECK(!l.add({4, 33, {}}) && !l.add({6, 129, {}}) && !l.add({0, 0, {}}) && !l.add({5, 1, {}}));
  for (std::size_t i = 0; i < PrefixList::kMax; i++) CHECK(l.add(prefix4(1, 32)));
  CHECK(!l.add(prefix4(1, 32)) && l.size() == PrefixList::kMax);
}

}  // namespace
}  // namespace nsm::test
