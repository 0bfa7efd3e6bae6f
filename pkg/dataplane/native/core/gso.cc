#include "gso.h"

#include <algorithm>

#include "checksum.h"

namespace nsm {
namespace {

constexpr std::size_t kMaxIpBytes = 65535;

// The least possible length, by the first byte. What is not IP (TAP) has to have room for a header, too.
std::size_t ip_header_bytes(std::uint8_t first) noexcept {
  if (first >> 4 == 6) return 40;
  return first >> 4 == 4 ? std::max<std::size_t>(20, (first & 0x0fu) * 4u) : 20;
}

// In UDP, zero means "no checksum"; 0xffff is the same number.
std::uint16_t finished_checksum(std::uint64_t sum, bool tcp) noexcept {
  const auto checksum = static_cast<std::uint16_t>(~checksum_fold(sum));
  return checksum == 0 && !tcp ? std::uint16_t{0xffff} : checksum;
}

bool type_matches(std::uint8_t gso_type, std::uint8_t ip_version, bool tcp) noexcept {
  switch (gso_type & ~kGsoEcn) {
    case kGsoTcp4:
      return tcp && ip_version == 4;
    case kGsoTcp6:
      return tcp && ip_version == 6;
    case kGsoUdpL4:
      return !tcp && gso_type == kGsoUdpL4;
    default:
      return false;
  }
}

}  // namespace

std::optional<GsoPacket> GsoPacket::parse(const VnetHeader& header, ConstBytes packet,
                                          std::size_t ip_offset) noexcept {
  if (packet.size() <= ip_offset || packet.size() > ip_offset + kMaxIpBytes) return std::nullopt;
  GsoPacket parsed(packet, ip_offset);
  const bool valid =
      header.gso_type == kGsoNone ? parsed.parse_single(header) : parsed.parse_segmented(header);
  return valid ? std::optional(parsed) : std::nullopt;
}

bool GsoPacket::parse_single(const VnetHeader& header) noexcept {
  if ((header.flags & kVnetNeedsChecksum) == 0) return true;
  csum_start_ = header.csum_start;
  csum_field_ = csum_start_ + header.csum_offset;
  // INVARIANT: completing the checksum changes nothing that was checked already. With a
  // field inside the IP header, a sender could rewrite the addresses.
  return csum_start_ >= ip_ + ip_header_bytes(packet_[ip_]) && csum_field_ + 2 <= packet_.size();
}

// header.header_bytes is ignored: it cannot be trusted.
bool GsoPacket::parse_segmented(const VnetHeader& header) noexcept {
  const ConstBytes ip = packet_.subspan(ip_);
  const auto found = find_transport(ip);
  if (!found || !type_matches(header.gso_type, ip[0] >> 4, found->tcp)) return false;
  transport_ = *found;
  const bool checksum_fits =
      (header.flags & kVnetNeedsChecksum) != 0 && header.csum_start == ip_ + transport_.offset &&
      std::size_t{header.csum_start} + header.csum_offset == ip_ + transport_.checksum_at();
  if (!checksum_fits || header.gso_bytes == 0) return false;
  gso_bytes_ = header.gso_bytes;
  const std::size_t payload = packet_.size() - headers();
  segments_ = std::max<std::size_t>(1, (payload + gso_bytes_ - 1) / gso_bytes_);
  return segments_ <= kMaxSegments;
}

std::size_t GsoPacket::segment_bytes() const noexcept {
  return gso_bytes_ == 0 ? packet_.size() : std::min(packet_.size(), headers() + gso_bytes_);
}

std::size_t GsoPacket::write(std::size_t index, Bytes out) const noexcept {
  if (gso_bytes_ == 0) return write_single(out);
  const std::size_t from = headers() + index * gso_bytes_;
  const std::size_t payload = std::min(gso_bytes_, packet_.size() - from);
  std::memcpy(out.data(), packet_.data(), headers());
  if (payload > 0) std::memcpy(out.data() + headers(), packet_.data() + from, payload);
  const Bytes ip = out.subspan(ip_, transport_.headers + payload);
  write_ip_length(ip, index);
  write_transport(ip, index);
  return headers() + payload;
}

std::size_t GsoPacket::write_single(Bytes out) const noexcept {
  std::memcpy(out.data(), packet_.data(), packet_.size());
  if (csum_field_ == 0) return packet_.size();
  // The field contains the sum of the pseudo header, so it is summed like the rest.
  const std::uint64_t sum = checksum_add(0, packet_.subspan(csum_start_));
  const bool tcp = csum_field_ - csum_start_ != kUdpChecksumAt;
  store_le(out.data() + csum_field_, finished_checksum(sum, tcp));
  return packet_.size();
}

void GsoPacket::write_ip_length(Bytes ip, std::size_t index) const noexcept {
  if (ip[0] >> 4 == 6) return store_be16(ip.data() + 4, static_cast<std::uint16_t>(ip.size() - 40));
  store_be16(ip.data() + 2, static_cast<std::uint16_t>(ip.size()));
  store_be16(ip.data() + 4, static_cast<std::uint16_t>(load_be16(ip.data() + 4) + index));
  write_ipv4_checksum(ip, (ip[0] & 0x0fu) * 4u);
}

void GsoPacket::write_transport(Bytes ip, std::size_t index) const noexcept {
  const Bytes segment = ip.subspan(transport_.offset);
  if (transport_.tcp) {
    const std::uint32_t sequence = load_be32(segment.data() + kTcpSequenceAt);
    store_be32(segment.data() + kTcpSequenceAt, sequence + static_cast<std::uint32_t>(index * gso_bytes_));
    std::uint8_t& flags = segment[kTcpFlagsAt];
    if (index + 1 < segments_) flags &= static_cast<std::uint8_t>(~(kTcpFin | kTcpPsh));
    if (index > 0) flags &= static_cast<std::uint8_t>(~kTcpCwr);
  } else {
    store_be16(segment.data() + kUdpLengthAt, static_cast<std::uint16_t>(segment.size()));
  }
  std::uint8_t* const field = ip.data() + transport_.checksum_at();
  store_le<std::uint16_t>(field, 0);
  const std::uint64_t pseudo = pseudo_header_sum(ip, transport_.protocol(), segment.size());
  store_le(field, finished_checksum(checksum_add(pseudo, segment), transport_.tcp));
}

}  // namespace nsm
