// Splits a super-packet that the kernel left to us (TSO, USO) into the packets
// that go over the wire, with lengths and checksums made for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bytes.h"
#include "vnet-header.h"

namespace nsm {

// One super-packet, or one ordinary packet (a single segment). Holds no copy:
// the packet must stay where it is until the last write.
class GsoPacket {
 public:
  static constexpr std::size_t kMaxSegments = 256;  // more is refused: no such TCP or UDP segment is useful

  // `packet` starts at the IP header when `ip_offset` is 0 (TUN), else there are
  // `ip_offset` bytes of Ethernet in front, repeated before each segment (TAP).
  // Absent when the header describes what the packet is not.
  static std::optional<GsoPacket> parse(const VnetHeader& header, ConstBytes packet,
                                        std::size_t ip_offset) noexcept;

  std::size_t segments() const noexcept { return segments_; }
  // Bytes of the longest segment, Ethernet included.
  std::size_t segment_bytes() const noexcept { return headers_ + gso_; }
  // Writes segment `index` to `out`, at least segment_bytes() long, and returns its length.
  std::size_t write(std::size_t index, Bytes out) const noexcept;

 private:
  GsoPacket() = default;
  bool parse_segmented(const VnetHeader& header) noexcept;
  bool parse_transport(std::uint8_t gso_type) noexcept;
  std::size_t write_single(Bytes out) const noexcept;
  void fix_ip(Bytes segment, std::size_t index) const noexcept;
  void fix_transport(Bytes segment, std::size_t index) const noexcept;

  ConstBytes packet_;
  std::size_t ip_ = 0;         // offset of the IP header
  std::size_t transport_ = 0;  // offset of the TCP or UDP header
  std::size_t headers_ = 0;    // bytes before the payload
  std::size_t gso_ = 0;        // payload bytes of a segment
  std::size_t segments_ = 1;
  std::size_t csum_start_ = 0;  // ordinary packets: what the checksum covers, and
  std::size_t csum_field_ = 0;  // where it goes; 0: it is complete already
  std::uint8_t family_ = 0;
  bool tcp_ = false;
};

}  // namespace nsm
