// An IP address and a UDP port of the underlay.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "bytes.h"

namespace nsm {

struct SocketAddress {
  std::uint8_t family = 0;                    // 4, 6, or 0: not known
  std::uint16_t port = 0;                     // host byte order
  std::array<std::uint8_t, 16> address = {};  // IPv4: the first 4 bytes, the others zero

  bool known() const noexcept { return family != 0; }
  ConstBytes address_bytes() const noexcept { return {address.data(), family == 4 ? 4u : 16u}; }
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) noexcept = default;
};

}  // namespace nsm
