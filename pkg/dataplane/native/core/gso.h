// Generic segmentation offload: splits a super-packet of the kernel (TSO, USO) into
// packets, each with its own lengths and checksums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bytes.h"
#include "transport-header.h"
#include "vnet-header.h"

namespace nsm {

// One super-packet, or one ordinary packet, which is a single segment. It copies
// nothing: the packet has to stay where it is until the last write().
class GsoPacket {
 public:
  static constexpr std::size_t kMaxSegments = 256;  // with more, the segments would be uselessly small

  // `ip_offset`: 0 when `packet` starts with the IP header (TUN); else the length of the
  // Ethernet header, which is repeated in front of each segment (TAP). Absent: the vnet
  // header contradicts the packet.
  static std::optional<GsoPacket> parse(const VnetHeader& header, ConstBytes packet,
                                        std::size_t ip_offset) noexcept;

  std::size_t segments() const noexcept { return segments_; }
  std::size_t ip_offset() const noexcept { return ip_; }
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
  std::size_t gso_bytes_ = 0;  // payload per segment; 0: an ordinary packet
  TransportHeader transport_;
  // Ordinary packets: where the checksum's range starts, and its field; 0: it is complete.
  std::size_t csum_start_ = 0;
  std::size_t csum_field_ = 0;
};

}  // namespace nsm
