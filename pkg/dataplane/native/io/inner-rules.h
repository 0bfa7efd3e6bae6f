// What may travel on a wire: packets between the addresses that the connection
// assigned, or frames; and how long they may be.
//
// Frames are not held to addresses: a wire of Ethernet joins two segments, where
// ARP, DHCP, bridges and protocols without addresses must pass. That frames come
// from the one peer of the wire, and go to its one device, is all that keeps them apart.
#pragma once

#include <cstdint>

#include "core/inner-ip.h"
#include "io/counters.h"

namespace nsm::io {

enum class Payload : std::uint8_t { kIp = 1, kEthernet = 2 };  // protocol::PayloadKind

struct InnerRules {
  Payload payload = Payload::kIp;
  PrefixList local;                 // of this side; of IP only
  PrefixList remote;                // of the far side; of IP only
  std::uint32_t mtu_bytes = 65535;  // of an inner packet, without the Ethernet header of a frame
};

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

}  // namespace nsm::io
