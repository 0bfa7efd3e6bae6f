// The parser of inner IP headers, and prefix matching compared with a bit-by-bit model.
#include "core/inner-ip.h"
#include "fuzzed-input.h"

namespace {

using nsm::fuzz::require;

bool contains_by_bits(const nsm::Prefix& prefix, const std::uint8_t* address) {
  for (int bit = 0; bit < prefix.length; bit++) {
    const int mask = 0x80 >> (bit % 8);
    if ((prefix.address[bit / 8] & mask) != (address[bit / 8] & mask)) return false;
  }
  return true;
}

// ::ffff:a.b.c.d, which no prefix allows.
bool is_mapped(const nsm::InnerIp& ip, const std::uint8_t* address) {
  constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return ip.family == 6 && std::memcmp(address, kMapped, sizeof kMapped) == 0;
}

void check_packet(const nsm::InnerIp& ip, nsm::ConstBytes packet) {
  const std::size_t address_bytes = ip.family == 4 ? 4 : 16;
  require(ip.family == 4 || ip.family == 6);
  require(ip.family == packet[0] >> 4);
  require(ip.header_bytes >= (ip.family == 4 ? 20 : 40));
  require(ip.header_bytes <= ip.total_bytes && ip.total_bytes <= packet.size());
  require(ip.source == packet.data() + (ip.family == 4 ? 12 : 8));
  require(ip.destination == ip.source + address_bytes);
}

}  // namespace

// The first 18 bytes are a prefix (family, length, address), the rest is the packet.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nsm::fuzz::FuzzedInput input(data, size);
  nsm::Prefix prefix{.family = input.number<std::uint8_t>(), .length = input.number<std::uint8_t>()};
  for (std::uint8_t& byte : prefix.address) byte = input.number<std::uint8_t>();
  nsm::PrefixList list;
  const int longest = prefix.family == 4 ? 32 : prefix.family == 6 ? 128 : -1;
  require(list.add(prefix) == (prefix.length <= longest));

  const nsm::ConstBytes packet = input.rest();
  const auto ip = nsm::parse_inner_ip(packet);
  if (!ip) return 0;
  check_packet(*ip, packet);
  const auto inside = [&](const std::uint8_t* address) {
    return list.size() == 1 && prefix.family == ip->family && !is_mapped(*ip, address) &&
           contains_by_bits(prefix, address);
  };
  const nsm::InnerVerdict expected = !inside(ip->source)        ? nsm::InnerVerdict::kSource
                                     : !inside(ip->destination) ? nsm::InnerVerdict::kDestination
                                                                : nsm::InnerVerdict::kPass;
  require(nsm::check_inner(*ip, list, list) == expected);
  return 0;
}
