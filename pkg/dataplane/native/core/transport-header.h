// Finds TCP and UDP headers, and the fields that GRO and GSO touch. Everything is
// checked against the packet's real size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bytes.h"

namespace nsm {

inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::size_t kTcpMinBytes = 20;
inline constexpr std::size_t kUdpBytes = 8;
inline constexpr std::size_t kTcpSequenceAt = 4;
inline constexpr std::size_t kTcpFlagsAt = 13;
inline constexpr std::size_t kTcpChecksumAt = 16;
inline constexpr std::size_t kUdpLengthAt = 4;
inline constexpr std::size_t kUdpChecksumAt = 6;

inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpPsh = 0x08;
inline constexpr std::uint8_t kTcpAck = 0x10;
inline constexpr std::uint8_t kTcpCwr = 0x80;

struct TransportHeader {
  bool tcp = false;
  std::size_t offset = 0;   // from the IP header
  std::size_t headers = 0;  // bytes from the IP header to the payload
  std::uint8_t protocol() const noexcept { return tcp ? kProtocolTcp : kProtocolUdp; }
  std::size_t checksum_at() const noexcept { return offset + (tcp ? kTcpChecksumAt : kUdpChecksumAt); }
};

// `ip` starts with an IPv4 or IPv6 header. Absent: a fragment, another protocol, or a
// header that does not fit. Skips IPv6 extension headers that do not concern the payload.
std::optional<TransportHeader> find_transport(ConstBytes ip) noexcept;

}  // namespace nsm
