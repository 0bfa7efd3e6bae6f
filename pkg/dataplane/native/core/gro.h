// Generic receive offload: joins consecutive packets of a flow into one super-packet
// with a vnet header, so that they pass the kernel's stack as one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bytes.h"
#include "transport-header.h"
#include "vnet-header.h"

namespace nsm {

// One super-packet under construction. It copies nothing: the added packets stay where
// they are, and finish() changes the headers of the first one in place. A packet that
// cannot be joined (a fragment, another protocol, a wrong checksum, ...) stays alone.
// To keep the order within a flow, the caller of add() that gets false has to finish,
// write and reset before it adds the packet again.
class GroPacket {
 public:
  static constexpr std::size_t kMaxPieces = 64;    // the kernel's limit for a UDP super-packet
  static constexpr std::size_t kMaxBytes = 65535;  // of the IP packet

  struct Input {
    Bytes bytes;                // one checked IP packet, after `ip_offset` bytes of Ethernet header
    std::size_t ip_offset = 0;  // 0 (TUN), or kEthernetBytes (TAP)
    bool udp = false;           // the device supports USO; otherwise UDP packets stay alone
  };
  // False: the packet does not continue this super-packet.
  bool add(const Input& input) noexcept;
  bool empty() const noexcept { return count_ == 0; }

  // Writes the lengths and checksum of the whole. The returned header and then the
  // pieces, written to the device one after the other, are the super-packet.
  const VnetHeader& finish() noexcept;
  std::span<const Bytes> pieces() const noexcept { return {pieces_.data(), count_}; }
  void reset() noexcept { count_ = 0; }

 private:
  struct Candidate {
    TransportHeader transport;
    bool joinable = false;  // to the packets before it
    bool closes = false;    // PSH is set: nothing may follow
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
