#include "transport-header.h"

namespace nsm {
namespace {

constexpr std::size_t kIpv4MinBytes = 20;
constexpr std::size_t kIpv6Bytes = 40;

struct Next {
  std::uint8_t protocol = 0;
  std::size_t offset = 0;
};

std::optional<Next> after_ipv4(ConstBytes ip) noexcept {
  if (ip.size() < kIpv4MinBytes) return std::nullopt;
  const std::size_t header_bytes = (ip[0] & 0x0fu) * 4u;
  const bool fragment = (load_be16(ip.data() + 6) & 0x3fff) != 0;
  if (header_bytes < kIpv4MinBytes || fragment) return std::nullopt;
  return Next{ip[9], header_bytes};
}

std::optional<Next> after_ipv6(ConstBytes ip) noexcept {
  constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kDestinationOptions = 60;
  constexpr int kMaxExtensions = 8;
  if (ip.size() < kIpv6Bytes) return std::nullopt;
  Next next = {ip[6], kIpv6Bytes};
  for (int i = 0; i < kMaxExtensions; i++) {
    if (next.protocol != kHopByHop && next.protocol != kRouting && next.protocol != kDestinationOptions)
      return next;
    if (next.offset + 8 > ip.size()) return std::nullopt;
    next = {ip[next.offset], next.offset + (ip[next.offset + 1] + 1u) * 8u};
  }
  return std::nullopt;
}

}  // namespace

std::optional<TransportHeader> find_transport(ConstBytes ip) noexcept {
  if (ip.empty()) return std::nullopt;
  const std::uint8_t version = ip[0] >> 4;
  const auto next = version == 4 ? after_ipv4(ip) : version == 6 ? after_ipv6(ip) : std::nullopt;
  if (!next) return std::nullopt;
  if (next->protocol == kProtocolUdp && next->offset + kUdpBytes <= ip.size())
    return TransportHeader{false, next->offset, next->offset + kUdpBytes};
  if (next->protocol != kProtocolTcp || next->offset + kTcpMinBytes > ip.size()) return std::nullopt;
  const std::size_t tcp_bytes = (ip[next->offset + 12] >> 4) * 4u;
  if (tcp_bytes < kTcpMinBytes || next->offset + tcp_bytes > ip.size()) return std::nullopt;
  return TransportHeader{true, next->offset, next->offset + tcp_bytes};
}

}  // namespace nsm
