// The answer to a packet that does not fit the wire: ICMP "fragmentation needed"
// (RFC 792, RFC 1191) or ICMPv6 "packet too big" (RFC 4443 section 3.2), as
// coming from the packet's destination.
#pragma once

#include <array>

#include "core/bytes.h"
#include "core/ethernet.h"
#include "core/inner-ip.h"
#include "core/vnet-header.h"

namespace nsm {

class PacketTooBig {
 public:
  // False when the packet must not be answered: an ICMP error, or a later
  // fragment (RFC 1122 section 3.2.2, RFC 4443 section 2.4).
  bool make(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept;
  // Makes the answer a frame, for who sent the packet in `frame`, which is not to all.
  void put_into_frame(ConstBytes frame) noexcept;
  // With a vnet header in front.
  ConstBytes bytes() const noexcept { return ConstBytes(memory_).subspan(begin_, end_ - begin_); }

 private:
  void make_ipv4(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept;
  void make_ipv6(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept;

  static constexpr std::size_t kMaxBytes = 1280;  // an ICMPv6 error fits the smallest MTU
  // The vnet header is all zero, so the answer can begin behind the place of an Ethernet header or at it.
  static constexpr std::size_t kIpAt = kVnetHeaderBytes + kEthernetBytes;
  std::array<std::uint8_t, kIpAt + kMaxBytes> memory_;
  std::size_t begin_ = kEthernetBytes;
  std::size_t end_ = kEthernetBytes;
};

}  // namespace nsm
