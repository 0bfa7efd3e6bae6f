// Fragmentation of arbitrary IPv4 packets, with options and link headers: each fragment is sound and no
// longer than the MTU, and a naive receiver gets the packet back.
#include "core/ipv4-fragments.h"
#include "fuzzed-input.h"
#include "test/core/reassembly.h"

namespace {

using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::test::Packet;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  const std::size_t ip_offset = input.flag() ? 14 : 0;
  const auto mtu_bytes = static_cast<std::uint32_t>(68 + input.below(2000));
  const std::size_t padding = input.below(64);
  Packet ip(input.rest().begin(), input.rest().end());
  ip.resize(std::max<std::size_t>(ip.size(), 60));
  ip[0] = static_cast<std::uint8_t>(0x40 | std::max(5, ip[0] & 15));
  ip.resize(std::min<std::size_t>(ip.size() * 4, 60'000), 0x5a);
  if ((ip.size() - nsm::test::header_bytes_of(ip)) % 8 != 0) ip[6] &= 0xdf;  // no fragment but the last
  nsm::store_be16(&ip[2], static_cast<std::uint16_t>(ip.size()));
  const auto inner = nsm::parse_inner_ip(ip);
  if (!inner || ip.size() <= mtu_bytes || !nsm::Ipv4Fragments::allows(*inner, ip)) return 0;

  Packet frame(ip_offset, 0x17);
  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.resize(frame.size() + padding);
  const nsm::Ipv4Fragments fragments(frame, ip_offset, mtu_bytes);
  std::vector<Packet> all;
  for (std::size_t i = 0; i < fragments.count(); i++) {
    Packet out(fragments.fragment_bytes());
    out.resize(fragments.write(i, out));
    require(std::equal(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(ip_offset), out.begin()));
    all.emplace_back(out.begin() + static_cast<std::ptrdiff_t>(ip_offset), out.end());
    require(nsm::test::is_fragment_sound(all.back(), mtu_bytes));
  }
  // Beyond 64 KB the offset wraps: no receiver takes that, and we read nothing outside either.
  if (nsm::test::offset_of(ip) + ip.size() <= 65'535) require(nsm::test::reassemble(all, ip) == ip);
  const Packet kept = nsm::test::copied_options(ip);
  for (std::size_t i = 1; i < all.size(); i++)
    require(std::equal(kept.begin(), kept.end(), all[i].begin() + 20));
  return 0;
}
