// What may travel on a wire: packets between the addresses that the connection
// assigned, or frames; and how long they may be.
//
// Frames are not held to addresses: a wire of Ethernet joins two segments, where
// ARP, DHCP, bridges and protocols without addresses must pass. That frames come
// from the one peer of the wire, and go to its one device, is all that keeps them apart.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "core/framed.h"
#include "core/inner-ip.h"
#include "pipeline/counters.h"

namespace nsm {

enum class Payload : std::uint8_t { kIp = 1, kEthernet = 2 };  // protocol::PayloadKind

struct InnerRules {
  Payload payload = Payload::kIp;
  PrefixList local;                 // of this side; of IP only
  PrefixList remote;                // of the far side; of IP only
  std::uint32_t mtu_bytes = 65535;  // of an inner packet, without the Ethernet header of a frame
};

// What stands around a packet in a plaintext, at most: of a frame its length, its header and a tag.
inline std::uint32_t framing_bytes(const InnerRules& rules) noexcept {
  return rules.payload == Payload::kEthernet ? kFrameLengthBytes + kMaxLinkHeaderBytes : 0;
}

// How long a packet of a wire may be now: as agreed, and as its path passes plaintexts.
inline std::uint32_t mtu_bytes(const InnerRules& rules, const std::atomic<std::uint32_t>& path_mtu) noexcept {
  return std::min(rules.mtu_bytes, path_mtu.load(std::memory_order_relaxed) - framing_bytes(rules));
}

// Counts what did not pass; `Name` is Rx or Tx.
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
