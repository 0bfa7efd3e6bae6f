// The answer to a packet that does not fit the wire: ICMP "fragmentation needed"
// (RFC 792, RFC 1191) or ICMPv6 "packet too big" (RFC 4443 section 3.2), as
// coming from the packet's destination.
#pragma once

#include <array>

#include "core/bytes.h"
#include "core/inner-ip.h"
#include "core/vnet-header.h"

namespace nsm::io {

class PacketTooBig {
 public:
  // False when the packet must not be answered: an ICMP error, or a later
  // fragment (RFC 1122 section 3.2.2, RFC 4443 section 2.4).
  bool make(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept;
  ConstBytes bytes() const noexcept { return {memory_.data(), size_}; }  // with a vnet header in front

 private:
  void make_ipv4(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept;
  void make_ipv6(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept;

  static constexpr std::size_t kMaxBytes = 1280;  // an ICMPv6 error fits the smallest MTU
  std::array<std::uint8_t, kVnetHeaderBytes + kMaxBytes> memory_;
  std::size_t size_ = 0;
};

}  // namespace nsm::io
