#include "inner-ip.h"

#include <algorithm>

namespace nsm {
namespace {

constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kIpv6Bytes = 40;

std::optional<InnerIp> parse_ipv4(ConstBytes packet) noexcept {
  if (packet.size() < kIpv4Bytes) return std::nullopt;
  InnerIp ip;
  ip.family = 4;
  ip.header_bytes = (packet[0] & 0x0fu) * 4u;
  ip.total_bytes = load_be16(packet.data() + 2);
  if (ip.header_bytes < kIpv4Bytes || ip.total_bytes < ip.header_bytes || ip.total_bytes > packet.size())
    return std::nullopt;
  ip.fragment = (load_be16(packet.data() + 6) & 0x3fff) != 0;  // more fragments, or an offset
  ip.protocol = packet[9];
  ip.source = packet.data() + 12;
  ip.destination = packet.data() + 16;
  return ip;
}

std::optional<InnerIp> parse_ipv6(ConstBytes packet) noexcept {
  if (packet.size() < kIpv6Bytes) return std::nullopt;
  const std::uint16_t payload_bytes = load_be16(packet.data() + 4);
  InnerIp ip;
  ip.family = 6;
  ip.header_bytes = kIpv6Bytes;
  ip.total_bytes = static_cast<std::uint32_t>(kIpv6Bytes) + payload_bytes;
  ip.protocol = packet[6];
  const bool jumbogram = payload_bytes == 0 && ip.protocol == 0;  // RFC 2675: its length is elsewhere
  if (jumbogram || ip.total_bytes > packet.size()) return std::nullopt;
  ip.source = packet.data() + 8;
  ip.destination = packet.data() + 24;
  return ip;
}

// ::ffff:0:0/96 is for sockets and never appears in a packet (RFC 4291 section
// 2.5.5.2). Letting it pass would bypass the rules for IPv4.
bool is_ipv4_mapped(const std::uint8_t* address) noexcept {
  return load_be64(address) == 0 && load_be32(address + 8) == 0xffff;
}

bool allowed(const PrefixList& prefixes, std::uint8_t family, const std::uint8_t* address) noexcept {
  if (family == 6 && is_ipv4_mapped(address)) return false;
  return prefixes.contains(family, address);
}

}  // namespace

bool Prefix::contains(const std::uint8_t* other) const noexcept {
  const std::size_t whole = length / 8u;
  if (!std::equal(other, other + whole, address.begin())) return false;
  const unsigned rest = length % 8u;
  return rest == 0 || ((other[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

bool PrefixList::add(const Prefix& prefix) {
  const bool valid =
      (prefix.family == 4 && prefix.length <= 32) || (prefix.family == 6 && prefix.length <= 128);
  if (!valid || prefixes_.size() == kMax) return false;
  prefixes_.push_back(prefix);
  return true;
}

bool PrefixList::contains(std::uint8_t family, const std::uint8_t* address) const noexcept {
  return std::any_of(prefixes_.begin(), prefixes_.end(),
                     [&](const Prefix& p) { return p.family == family && p.contains(address); });
}

std::optional<InnerIp> parse_inner_ip(ConstBytes packet) noexcept {
  if (packet.empty()) return std::nullopt;
  switch (packet[0] >> 4) {
    case 4:
      return parse_ipv4(packet);
    case 6:
      return parse_ipv6(packet);
    default:
      return std::nullopt;
  }
}

InnerVerdict check_inner(const InnerIp& packet, const PrefixList& source,
                         const PrefixList& destination) noexcept {
  if (!allowed(source, packet.family, packet.source)) return InnerVerdict::kSource;
  if (!allowed(destination, packet.family, packet.destination)) return InnerVerdict::kDestination;
  return InnerVerdict::kPass;
}

}  // namespace nsm
