#include "mss-clamp.h"

#include "checksum.h"
#include "transport-header.h"

namespace nsm {
namespace {

constexpr std::uint8_t kEndOfOptions = 0;
constexpr std::uint8_t kNoOperation = 1;
constexpr std::uint8_t kMaximumSegmentSize = 2;
constexpr std::size_t kMssBytes = 4;  // kind, length, value

// The offset of the MSS value in the TCP header; 0: there is none.
std::size_t find_mss(ConstBytes tcp) noexcept {
  for (std::size_t at = kTcpMinBytes; at + kMssBytes <= tcp.size();) {
    if (tcp[at] == kEndOfOptions) return 0;
    if (tcp[at] == kNoOperation) {
      at++;
    } else if (tcp[at] == kMaximumSegmentSize) {
      return tcp[at + 1] == kMssBytes ? at + 2 : 0;
    } else if (tcp[at + 1] < 2) {
      return 0;
    } else {
      at += tcp[at + 1];
    }
  }
  return 0;
}

// RFC 1624 equation 3. The bytes of a value at an odd offset are swapped in the sum.
void update_checksum(std::uint8_t* field, std::uint16_t from, std::uint16_t to, bool odd) noexcept {
  if (odd) {
    from = __builtin_bswap16(from);
    to = __builtin_bswap16(to);
  }
  const auto inverse = [](std::uint16_t value) { return static_cast<std::uint16_t>(~value); };
  store_be16(field, inverse(checksum_fold(std::uint64_t{inverse(load_be16(field))} + inverse(from) + to)));
}

}  // namespace

void clamp_mss(Bytes packet, const InnerIp& ip, std::uint32_t mtu_bytes, bool complete) noexcept {
  if (ip.protocol != kProtocolTcp || ip.fragment) return;
  const Bytes tcp = packet.subspan(ip.header_bytes);
  if (tcp.size() < kTcpMinBytes || (tcp[kTcpFlagsAt] & kTcpSyn) == 0) return;
  const std::size_t header_bytes = (tcp[12] >> 4) * 4u;
  if (header_bytes < kTcpMinBytes || header_bytes > tcp.size()) return;
  const std::size_t at = find_mss(tcp.first(header_bytes));
  if (at == 0) return;
  const std::size_t fixed = (ip.family == 4 ? 20 : 40) + kTcpMinBytes;  // RFC 6691: options do not count
  const std::uint16_t mss = load_be16(tcp.data() + at);
  if (mtu_bytes <= fixed || mss <= mtu_bytes - fixed) return;
  const auto lower = static_cast<std::uint16_t>(mtu_bytes - fixed);
  store_be16(tcp.data() + at, lower);
  if (complete) update_checksum(tcp.data() + kTcpChecksumAt, mss, lower, at % 2 != 0);
}

}  // namespace nsm
