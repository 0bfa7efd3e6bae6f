// What may travel on a wire: the addresses that the connection assigned, and how long a packet may be.
#pragma once

#include <cstdint>

#include "core/inner-ip.h"
#include "io/counters.h"

namespace nsm::io {

struct InnerRules {
  PrefixList local;                 // of this side
  PrefixList remote;                // of the far side
  std::uint32_t mtu_bytes = 65535;  // of an inner packet
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
