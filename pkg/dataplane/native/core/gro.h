// Joins packets of one flow that came in order into one super-packet with a
// vnet header, so that the kernel's stack is walked once for many packets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bytes.h"
#include "vnet-header.h"

namespace nsm {

// One super-packet in the making. Holds no copy: added packets stay where they
// are, and the headers of the first are changed in place by finish().
// Packets that cannot be joined (fragments, options that differ, ICMP, ...) are
// taken alone. Order within a flow is kept: whoever gets false finishes, writes
// and resets before adding again.
class GroPacket {
 public:
  static constexpr std::size_t kMaxPieces = 64;
  static constexpr std::size_t kMaxBytes = 65535;  // of the IP packet

  // `packet`: one checked IP packet of exactly its own length. `udp`: the TUN
  // takes USO; without it UDP packets stay alone. False: it does not continue this one.
  bool add(Bytes packet, bool udp) noexcept;
  bool empty() const noexcept { return count_ == 0; }

  // Makes lengths and checksum of the whole; then header and pieces, written
  // one after the other to the TUN, are the super-packet.
  const VnetHeader& finish() noexcept;
  std::span<const Bytes> pieces() const noexcept { return {pieces_.data(), count_}; }
  void reset() noexcept { count_ = 0; }

 private:
  struct Flow {
    std::uint8_t family = 0;
    bool tcp = false;
    bool joinable = false;
    bool closed = false;              // PSH or a short segment: nothing may follow
    std::size_t transport = 0;        // offset of the TCP or UDP header
    std::size_t headers = 0;          // bytes before the payload
    std::uint32_t next_sequence = 0;  // TCP
  };

  static Flow inspect(Bytes packet, bool udp) noexcept;
  bool continues(Bytes packet, const Flow& flow) const noexcept;
  void start(Bytes packet, const Flow& flow) noexcept;
  void append(Bytes packet, const Flow& flow) noexcept;

  Flow flow_;
  VnetHeader header_;
  std::array<Bytes, kMaxPieces> pieces_ = {};
  std::size_t count_ = 0;
  std::size_t total_ = 0;    // bytes of all pieces
  std::size_t segment_ = 0;  // payload bytes of the first packet
};

}  // namespace nsm
