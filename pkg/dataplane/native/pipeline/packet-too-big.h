// The answer to a packet that is longer than the MTU: ICMP "fragmentation needed"
// (RFC 792, RFC 1191) or ICMPv6 "packet too big" (RFC 4443 section 3.2). Its source is
// the packet's destination.
#pragma once

#include <array>

#include "core/bytes.h"
#include "core/ethernet.h"
#include "core/inner-ip.h"
#include "core/vnet-header.h"

namespace nsm {

class PacketTooBig {
 public:
  // False: the packet must not be answered, because it is an ICMP error or a fragment
  // other than the first (RFC 1122 section 3.2.2, RFC 4443 section 2.4).
  bool make(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept;
  // Puts the answer into an Ethernet frame to the sender of `frame`, which is unicast.
  void put_into_frame(ConstBytes frame) noexcept;
  // The answer, with a vnet header in front.
  ConstBytes bytes() const noexcept { return ConstBytes(memory_).subspan(begin_, end_ - begin_); }

 private:
  void make_ipv4(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept;
  void make_ipv6(const InnerIp& inner, ConstBytes packet, std::uint32_t mtu_bytes) noexcept;

  static constexpr std::size_t kMaxBytes = 1280;  // an ICMPv6 error has to fit the minimum MTU
  // The vnet header is all zero. So the answer starts at the vnet header, or, without an
  // Ethernet header, kEthernetBytes later.
  static constexpr std::size_t kIpAt = kVnetHeaderBytes + kEthernetBytes;
  std::array<std::uint8_t, kIpAt + kMaxBytes> memory_;
  std::size_t begin_ = kEthernetBytes;
  std::size_t end_ = kEthernetBytes;
};

}  // namespace nsm
