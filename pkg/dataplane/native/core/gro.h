// Joins packets of one flow that came in order into one super-packet with a
// vnet header, so that the kernel's stack is walked once for many packets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bytes.h"
#include "transport-header.h"
#include "vnet-header.h"

namespace nsm {

// One super-packet in the making. Holds no copy: added packets stay where they
// are, and the headers of the first are changed in place by finish().
// Packets that cannot be joined (fragments, other protocols, wrong checksums,
// ...) are taken alone. Order within a flow is kept: whoever gets false
// finishes, writes and resets before adding again.
class GroPacket {
 public:
  static constexpr std::size_t kMaxPieces = 64;    // what the kernel takes as one UDP super-packet
  static constexpr std::size_t kMaxBytes = 65535;  // of the IP packet

  struct Input {
    Bytes bytes;                // one checked IP packet, behind `ip_offset` bytes of Ethernet
    std::size_t ip_offset = 0;  // 0 (TUN), or kEthernetBytes (TAP)
    bool udp = false;           // the device takes USO; without it UDP packets stay alone
  };
  // False: it does not continue this one.
  bool add(const Input& input) noexcept;
  bool empty() const noexcept { return count_ == 0; }

  // Makes lengths and checksum of the whole; then header and pieces, written
  // one after the other to the device, are the super-packet.
  const VnetHeader& finish() noexcept;
  std::span<const Bytes> pieces() const noexcept { return {pieces_.data(), count_}; }
  void reset() noexcept { count_ = 0; }

 private:
  struct Candidate {
    TransportHeader transport;
    bool joinable = false;  // to what came before
    bool closes = false;    // PSH: nothing may follow
  };

  static Candidate inspect(Bytes ip, bool udp) noexcept;
  bool continues(const Input& input, const Candidate& next) const noexcept;
  bool same_link_header(const Input& input) const noexcept;
  bool same_ip_header(Bytes ip) const noexcept;
  bool same_transport_header(Bytes ip) const noexcept;
  Bytes first_ip() const noexcept { return pieces_[0].subspan(ip_); }
  std::size_t payload_bytes() const noexcept { return total_ - ip_ - first_.transport.headers; }

  Candidate first_;
  std::size_t ip_ = 0;  // offset of the IP header in the first piece
  bool closed_ = false;
  VnetHeader header_;
  std::array<Bytes, kMaxPieces> pieces_ = {};
  std::size_t count_ = 0;
  std::size_t total_ = 0;    // bytes of all pieces
  std::size_t segment_ = 0;  // payload bytes of the first packet
};

}  // namespace nsm
