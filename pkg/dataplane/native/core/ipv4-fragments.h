// Fragmentation of IPv4 packets, as a router does it (RFC 791 section 3.2, RFC 1812 section 4.2.2.7).
#pragma once

#include "bytes.h"
#include "inner-ip.h"

namespace nsm {

// A packet that is longer than the MTU and may be fragmented. It copies nothing: the packet
// has to stay where it is until the last write().
class Ipv4Fragments {
 public:
  // Whether the sender allows it: IPv4 without "don't fragment".
  static bool allows(const InnerIp& inner, ConstBytes ip) noexcept;

  // `packet`: a link header of `ip_offset` bytes, which is repeated in front of each
  // fragment, and an IPv4 packet with checksums, which may be a fragment itself.
  // `mtu_bytes`: at least 68, the longest header and eight bytes.
  Ipv4Fragments(ConstBytes packet, std::size_t ip_offset, std::uint32_t mtu_bytes) noexcept;

  std::size_t count() const noexcept { return (payload_bytes_ + step_bytes_ - 1) / step_bytes_; }
  // Bytes of the longest fragment, link header included.
  std::size_t fragment_bytes() const noexcept { return ip_ + header_bytes_ + step_bytes_; }
  // Writes fragment `index` to `out`, at least fragment_bytes() long, and returns its length.
  std::size_t write(std::size_t index, Bytes out) const noexcept;

 private:
  ConstBytes packet_;
  std::size_t ip_;  // offset of the IP header
  std::size_t header_bytes_;
  std::size_t payload_bytes_;
  std::size_t step_bytes_;  // payload of each fragment but the last, a multiple of 8
};

}  // namespace nsm
