// Between admission and sealing: packets that are longer than the MTU of the wire now, and
// that may be fragmented. Behind an MTU hole the kernel knows nothing of, this is the only
// place where that can happen.
#pragma once

#include <memory>

#include "core/gso.h"
#include "core/ipv4-fragments.h"
#include "pipeline/inner-rules.h"

namespace nsm {

// Whether a packet that was admitted has to be fragmented.
inline bool is_too_long(const GsoPacket& segments, std::uint32_t mtu_bytes) noexcept {
  return segments.segment_bytes() > segments.ip_offset() + mtu_bytes;
}

// Owner: the egress thread; all its ports use the same one in turn.
class Fragmenter {
 public:
  Fragmenter() : memory_(std::make_unique<std::uint8_t[]>(2 * kBytes)) {}

  // Calls each(const GsoPacket&) for every packet that leaves: segments that fit, and the
  // fragments of those that do not. What `each` gets is valid only until it returns.
  template <typename Each>
  void split(const GsoPacket& segments, std::uint32_t mtu_bytes, Each&& each) noexcept {
    const Bytes whole(memory_.get(), kBytes), part(memory_.get() + kBytes, kBytes);
    const std::size_t ip_offset = segments.ip_offset();
    const auto give = [&](ConstBytes packet) {
      if (const auto parsed = GsoPacket::parse({}, packet, ip_offset)) each(*parsed);
    };
    for (std::size_t i = 0; i < segments.segments(); i++) {
      const Bytes packet = whole.first(segments.write(i, whole));
      if (packet.size() <= ip_offset + mtu_bytes) {
        give(packet);
        continue;
      }
      const Ipv4Fragments fragments(packet, ip_offset, mtu_bytes);
      for (std::size_t j = 0; j < fragments.count(); j++) give(part.first(fragments.write(j, part)));
    }
  }

 private:
  static constexpr std::size_t kBytes = kMaxMtuBytes + kMaxLinkHeaderBytes + 1;
  std::unique_ptr<std::uint8_t[]> memory_;
};

}  // namespace nsm
