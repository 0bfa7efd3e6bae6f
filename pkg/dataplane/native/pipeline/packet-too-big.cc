#include "pipeline/packet-too-big.h"

#include <algorithm>

#include "core/checksum.h"

namespace nsm {
namespace {

constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::size_t kIcmpHeaderBytes = 8;
constexpr std::size_t kMaxIpv4Bytes = 576;  // RFC 1812 section 4.3.2.3
constexpr std::uint8_t kHopLimit = 64;

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmpUnreachable = 3;
constexpr std::uint8_t kIcmpFragmentationNeeded = 4;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kIcmpv6PacketTooBig = 2;

bool is_later_fragment(const InnerIp& inner, ConstBytes packet) noexcept {
  return inner.family == 4 && (load_be16(packet.data() + 6) & 0x1fff) != 0;
}

// Of the ICMP types only echoes are known to be no errors. That is enough for ping-based path MTU tests.
bool may_be_icmp_error(const InnerIp& inner, ConstBytes packet) noexcept {
  if (inner.protocol != kIcmp && inner.protocol != kIcmpv6) return false;
  const std::uint8_t type = packet.size() > inner.header_bytes ? packet[inner.header_bytes] : 0;
  return inner.protocol == kIcmp ? type != 0 && type != 8 : type < 128;
}

void write_checksum(std::uint8_t* field, std::uint64_t sum) noexcept {
  store_le<std::uint16_t>(field, static_cast<std::uint16_t>(~checksum_fold(sum)));
}

}  // namespace

bool PacketTooBig::make(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept {
  if (is_later_fragment(inner, packet) || may_be_icmp_error(inner, packet)) return false;
  memory_.fill(0);
  begin_ = kEthernetBytes;
  inner.family == 4 ? make_ipv4(inner, packet, mtu_bytes) : make_ipv6(inner, packet, mtu_bytes);
  return true;
}

void PacketTooBig::put_into_frame(ConstBytes frame) noexcept {
  std::uint8_t* const ethernet = memory_.data() + kVnetHeaderBytes;
  std::copy_n(frame.data() + kMacAddressBytes, kMacAddressBytes, ethernet);
  std::copy_n(frame.data(), kMacAddressBytes, ethernet + kMacAddressBytes);
  std::copy_n(frame.data() + kEtherTypeAt, 2, ethernet + kEtherTypeAt);
  begin_ = 0;
}

void PacketTooBig::make_ipv4(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept {
  const std::size_t quoted = std::min(packet.size(), kMaxIpv4Bytes - kIpv4HeaderBytes - kIcmpHeaderBytes);
  const std::size_t total = kIpv4HeaderBytes + kIcmpHeaderBytes + quoted;
  std::uint8_t* ip = memory_.data() + kIpAt;
  ip[0] = 0x45;
  store_be16(ip + 2, static_cast<std::uint16_t>(total));
  ip[8] = kHopLimit;
  ip[9] = kIcmp;
  std::copy_n(inner.destination, 4, ip + 12);
  std::copy_n(inner.source, 4, ip + 16);
  write_ipv4_checksum({ip, total}, kIpv4HeaderBytes);
  std::uint8_t* icmp = ip + kIpv4HeaderBytes;
  icmp[0] = kIcmpUnreachable;
  icmp[1] = kIcmpFragmentationNeeded;
  store_be16(icmp + 6, static_cast<std::uint16_t>(mtu_bytes));
  std::copy_n(packet.data(), quoted, icmp + kIcmpHeaderBytes);
  write_checksum(icmp + 2, checksum_add(0, {icmp, kIcmpHeaderBytes + quoted}));
  end_ = kIpAt + total;
}

void PacketTooBig::make_ipv6(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept {
  const std::size_t quoted = std::min(packet.size(), kMaxBytes - kIpv6HeaderBytes - kIcmpHeaderBytes);
  const std::size_t payload = kIcmpHeaderBytes + quoted;
  std::uint8_t* ip = memory_.data() + kIpAt;
  ip[0] = 0x60;
  store_be16(ip + 4, static_cast<std::uint16_t>(payload));
  ip[6] = kIcmpv6;
  ip[7] = kHopLimit;
  std::copy_n(inner.destination, 16, ip + 8);
  std::copy_n(inner.source, 16, ip + 24);
  std::uint8_t* icmp = ip + kIpv6HeaderBytes;
  icmp[0] = kIcmpv6PacketTooBig;
  store_be32(icmp + 4, mtu_bytes);
  std::copy_n(packet.data(), quoted, icmp + kIcmpHeaderBytes);
  const std::uint64_t pseudo = pseudo_header_sum({ip, kIpv6HeaderBytes}, kIcmpv6, payload);
  write_checksum(icmp + 2, checksum_add(pseudo, {icmp, payload}));
  end_ = kIpAt + kIpv6HeaderBytes + payload;
}

}  // namespace nsm
