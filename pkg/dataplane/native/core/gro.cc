#include "gro.h"

#include <algorithm>

#include "checksum.h"

namespace nsm {
namespace {

constexpr std::size_t kIpv4Bytes = 20;  // packets with options stay alone
constexpr std::size_t kIpv6Bytes = 40;  // likewise with extension headers
constexpr std::uint16_t kDontFragment = 0x4000;

struct Range {
  std::size_t from;
  std::size_t to;
};
bool same(ConstBytes a, ConstBytes b, Range range) noexcept {
  return std::memcmp(a.data() + range.from, b.data() + range.from, range.to - range.from) == 0;
}

// A super-packet has no place for bytes behind the packet in its frame.
bool ends_with_packet(ConstBytes ip) noexcept {
  const std::size_t at = ip[0] >> 4 == 4 ? 2 : 4;
  return load_be16(ip.data() + at) + (at == 2 ? 0 : kIpv6Bytes) == ip.size();
}

// The checksums of a super-packet are computed anew, which would hide a wrong one.
bool checksums_right(ConstBytes ip, const TransportHeader& transport) noexcept {
  const bool v4 = ip[0] >> 4 == 4;
  if (v4 && checksum_fold(checksum_add(0, ip.first(kIpv4Bytes))) != 0xffff) return false;
  const ConstBytes segment = ip.subspan(transport.offset);
  const std::uint64_t pseudo = pseudo_header_sum(ip, transport.protocol(), segment.size());
  return checksum_fold(checksum_add(pseudo, segment)) == 0xffff;
}

}  // namespace

GroPacket::Candidate GroPacket::inspect(Bytes ip, bool udp) noexcept {
  Candidate candidate;
  const auto transport = find_transport(ip);
  if (!transport) return candidate;
  candidate.transport = *transport;
  if (transport->offset != (ip[0] >> 4 == 4 ? kIpv4Bytes : kIpv6Bytes)) return candidate;
  if (ip.size() == transport->headers || !ends_with_packet(ip)) return candidate;
  const std::uint8_t* const header = ip.data() + transport->offset;
  if (transport->tcp) {
    candidate.closes = (header[kTcpFlagsAt] & kTcpPsh) != 0;
    if ((header[kTcpFlagsAt] & ~kTcpPsh) != kTcpAck) return candidate;
  } else {
    const bool whole = load_be16(header + kUdpLengthAt) == ip.size() - transport->offset;
    if (!udp || !whole || load_be16(header + kUdpChecksumAt) == 0) return candidate;
  }
  candidate.joinable = checksums_right(ip, *transport);
  return candidate;
}

bool GroPacket::add(const Input& input) noexcept {
  const Candidate next = inspect(input.bytes.subspan(input.ip_offset), input.udp);
  if (count_ == 0) {
    first_ = next;
    ip_ = input.ip_offset;
    pieces_[0] = input.bytes;
    count_ = 1;
    total_ = input.bytes.size();
    segment_ = next.joinable ? payload_bytes() : 0;
    closed_ = !next.joinable || next.closes;
    return true;
  }
  if (!continues(input, next)) return false;
  const Bytes payload = input.bytes.subspan(ip_ + next.transport.headers);
  pieces_[count_++] = payload;
  total_ += payload.size();
  closed_ = next.closes || payload.size() < segment_;
  if (next.closes) first_ip()[first_.transport.offset + kTcpFlagsAt] |= kTcpPsh;
  return true;
}

bool GroPacket::continues(const Input& input, const Candidate& next) const noexcept {
  if (closed_ || !next.joinable || count_ == kMaxPieces || !same_link_header(input)) return false;
  if (next.transport.tcp != first_.transport.tcp || next.transport.headers != first_.transport.headers)
    return false;
  const Bytes ip = input.bytes.subspan(ip_);
  const std::size_t payload = ip.size() - next.transport.headers;
  if (payload > segment_ || total_ - ip_ + payload > kMaxBytes) return false;
  return same_ip_header(ip) && same_transport_header(ip);
}

bool GroPacket::same_link_header(const Input& input) const noexcept {
  return input.ip_offset == ip_ && same(pieces_[0], input.bytes, {0, ip_});
}

bool GroPacket::same_ip_header(Bytes ip) const noexcept {
  const Bytes first = first_ip();
  if (ip[0] >> 4 == 6) return same(first, ip, {0, 4}) && same(first, ip, {6, kIpv6Bytes});
  const bool same_fields = same(first, ip, {0, 2}) && same(first, ip, {6, 10}) && same(first, ip, {12, 20});
  if (!same_fields || (load_be16(ip.data() + 6) & kDontFragment) != 0) return same_fields;
  // Without DF the id tells which fragments belong together, and splitting makes it count up.
  return load_be16(ip.data() + 4) == static_cast<std::uint16_t>(load_be16(first.data() + 4) + count_);
}

bool GroPacket::same_transport_header(Bytes ip) const noexcept {
  const Bytes first = first_ip();
  const std::size_t at = first_.transport.offset;
  if (!same(first, ip, {at, at + 4})) return false;  // ports
  if (!first_.transport.tcp) return true;
  const std::uint32_t expected =
      load_be32(first.data() + at + kTcpSequenceAt) + static_cast<std::uint32_t>(payload_bytes());
  return load_be32(ip.data() + at + kTcpSequenceAt) == expected &&
         same(first, ip, {at + 8, at + kTcpFlagsAt}) &&         // acknowledgement, header length
         same(first, ip, {at + 14, at + kTcpChecksumAt}) &&     // window
         same(first, ip, {at + 18, first_.transport.headers});  // urgent pointer, options
}

const VnetHeader& GroPacket::finish() noexcept {
  header_ = {};
  if (count_ < 2) return header_;
  const Bytes ip = first_ip();
  const bool v4 = ip[0] >> 4 == 4;
  const TransportHeader& transport = first_.transport;
  const std::size_t ip_bytes = total_ - ip_;
  const std::size_t transport_bytes = ip_bytes - transport.offset;
  if (v4) {
    store_be16(ip.data() + 2, static_cast<std::uint16_t>(ip_bytes));
    write_ipv4_checksum(ip, kIpv4Bytes);
  } else {
    store_be16(ip.data() + 4, static_cast<std::uint16_t>(ip_bytes - kIpv6Bytes));
  }
  if (!transport.tcp)
    store_be16(ip.data() + transport.offset + kUdpLengthAt, static_cast<std::uint16_t>(transport_bytes));
  const std::uint64_t pseudo = pseudo_header_sum(ip, transport.protocol(), transport_bytes);
  store_le(ip.data() + transport.checksum_at(), checksum_fold(pseudo));
  header_.flags = kVnetNeedsChecksum;
  header_.gso_type = !transport.tcp ? kGsoUdpL4 : v4 ? kGsoTcp4 : kGsoTcp6;
  header_.header_bytes = static_cast<std::uint16_t>(ip_ + transport.headers);
  header_.gso_bytes = static_cast<std::uint16_t>(segment_);
  header_.csum_start = static_cast<std::uint16_t>(ip_ + transport.offset);
  header_.csum_offset = static_cast<std::uint16_t>(transport.checksum_at() - transport.offset);
  return header_;
}

}  // namespace nsm
