// What a wire may carry: IP packets between the addresses that the connection assigned,
// or Ethernet frames; and the MTU.
//
// The addresses in frames are not checked: a wire of frames joins two Ethernet segments,
// where ARP, DHCP, bridges and protocols without addresses have to work. Wires are kept
// apart by their peers and devices alone.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "core/framed.h"
#include "core/inner-ip.h"
#include "pipeline/counters.h"

namespace nsm {

inline constexpr std::uint32_t kMinMtuBytes = 68;  // RFC 791
inline constexpr std::uint32_t kMaxMtuBytes = 65'535;

enum class Payload : std::uint8_t { kIp = 1, kEthernet = 2 };  // protocol::PayloadKind

struct InnerRules {
  Payload payload = Payload::kIp;
  PrefixList local;                        // inner addresses of this side; payload IP only
  PrefixList remote;                       // inner addresses of the far side; payload IP only
  std::uint32_t mtu_bytes = kMaxMtuBytes;  // of an inner packet, without the Ethernet header of a frame
};

// What a plaintext holds besides the packet, at most: a frame's length, its header and a VLAN tag.
inline std::uint32_t framing_bytes(const InnerRules& rules) noexcept {
  return rules.payload == Payload::kEthernet ? kFrameLengthBytes + kMaxLinkHeaderBytes : 0;
}

// The MTU of a wire now: as agreed, and no more than the path MTU, which is of plaintexts.
inline std::uint32_t mtu_bytes(const InnerRules& rules, const std::atomic<std::uint32_t>& path_mtu) noexcept {
  return std::min(rules.mtu_bytes, path_mtu.load(std::memory_order_relaxed) - framing_bytes(rules));
}

// True: the packet passes. False: it was counted as dropped. `Name` is Rx or Tx.
template <typename Name, std::size_t kCount>
bool count_verdict(InnerVerdict verdict, CounterBlock<Name, kCount>& counters) noexcept {
  switch (verdict) {
    case InnerVerdict::kPass:
      return true;
    case InnerVerdict::kSource:
      counters.add(Name::inner_source);
      return false;
    case InnerVerdict::kDestination:
      counters.add(Name::inner_destination);
      return false;
  }
  return false;
}

}  // namespace nsm
