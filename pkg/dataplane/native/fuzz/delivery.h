// A device for the stages: what they write to it is kept, packet by packet.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "fuzzed-input.h"
#include "pipeline/counters.h"
#include "pipeline/ingress-device.h"
#include "pipeline/packet-source.h"

namespace nsm::fuzz {

using Packets = std::vector<std::vector<std::uint8_t>>;

// INVARIANT of all targets: no packet continues another, so nothing is joined.
class Delivery final : public IngressDevice {
 public:
  Delivery() : IngressDevice(false) {}

  void write(const VnetHeader& header, std::span<const Bytes> pieces) noexcept override {
    require(pieces.size() == 1 && header.flags == 0 && header.gso_type == kGsoNone);
    packets_.emplace_back(pieces.front().begin(), pieces.front().end());
  }
  // All that was written since the last call.
  Packets take() { return std::exchange(packets_, {}); }

 private:
  Packets packets_;
};

// The way back to a sender: what the stages answer is kept, without the vnet header.
class Answers final : public PacketSource {
 public:
  void send_back(ConstBytes error) noexcept override {
    require(error.size() >= kVnetHeaderBytes);
    const ConstBytes header = error.first(kVnetHeaderBytes);
    require(std::ranges::all_of(header, [](auto byte) { return byte == 0; }));
    packets_.emplace_back(error.begin() + kVnetHeaderBytes, error.end());
  }
  Packets take() { return std::exchange(packets_, {}); }

 private:
  Packets packets_;
};

inline std::uint64_t sum(const Counters& counters, std::initializer_list<Rx> names) {
  std::uint64_t total = 0;
  for (const Rx name : names) total += counters.rx.at(name);
  return total;
}

}  // namespace nsm::fuzz
