// Splits a super-packet that the kernel left to us (TSO, USO) into the packets
// that go over the wire, with lengths and checksums made for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bytes.h"
#include "transport-header.h"
#include "vnet-header.h"

namespace nsm {

// One super-packet, or one ordinary packet (a single segment). Holds no copy:
// the packet must stay where it is until the last write.
class GsoPacket {
 public:
  static constexpr std::size_t kMaxSegments = 256;  // more would be segments of no use to anybody

  // `packet` starts at the IP header when `ip_offset` is 0 (TUN), else there are
  // `ip_offset` bytes of Ethernet in front, repeated before each segment (TAP).
  // Absent when the header describes what the packet is not.
  static std::optional<GsoPacket> parse(const VnetHeader& header, ConstBytes packet,
                                        std::size_t ip_offset) noexcept;

  std::size_t segments() const noexcept { return segments_; }
  // Bytes of the longest segment, Ethernet included.
  std::size_t segment_bytes() const noexcept;
  // Writes segment `index` to `out`, at least segment_bytes() long, and returns its length.
  std::size_t write(std::size_t index, Bytes out) const noexcept;

 private:
  explicit GsoPacket(ConstBytes packet, std::size_t ip_offset) noexcept : packet_(packet), ip_(ip_offset) {}
  bool parse_single(const VnetHeader& header) noexcept;
  bool parse_segmented(const VnetHeader& header) noexcept;
  std::size_t write_single(Bytes out) const noexcept;
  void write_ip_length(Bytes ip, std::size_t index) const noexcept;
  void write_transport(Bytes ip, std::size_t index) const noexcept;
  std::size_t headers() const noexcept { return ip_ + transport_.headers; }

  ConstBytes packet_;
  std::size_t ip_;  // offset of the IP header
  std::size_t segments_ = 1;
  // Super-packets.
  std::size_t gso_bytes_ = 0;  // payload of a segment; 0: an ordinary packet
  TransportHeader transport_;
  // Ordinary packets: what the checksum covers, and where it goes; 0: it is complete.
  std::size_t csum_start_ = 0;
  std::size_t csum_field_ = 0;
};

}  // namespace nsm
