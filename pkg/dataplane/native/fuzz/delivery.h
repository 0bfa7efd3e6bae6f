// What the stages of ingress delivered and counted.
#pragma once

#include "fuzzed-input.h"
#include "pipeline/counters.h"
#include "test/pipeline/fakes.h"

namespace nsm::fuzz {

// The packets that were written since the last call. The targets' packets are UDP and their devices
// have no USO, so none is joined.
inline std::vector<test::Packet> delivered(test::FakeDevice& device) {
  std::vector<test::Packet> packets;
  for (auto& [header, joined, bytes] : device.take()) {
    require(joined == 1 && header.flags == 0 && header.gso_type == kGsoNone);
    packets.push_back(std::move(bytes));
  }
  return packets;
}

inline std::uint64_t sum(const Counters& counters, std::initializer_list<Rx> names) {
  std::uint64_t total = 0;
  for (const Rx name : names) total += counters.rx.at(name);
  return total;
}

}  // namespace nsm::fuzz
