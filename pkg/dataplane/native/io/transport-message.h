// WireGuard's data message (whitepaper section 5.4.6), and what kind a datagram is.
//
//     byte 0     1..3       4..7             8..15     16..        last 16
//          type  reserved   receiver index   counter   ciphertext  tag
#pragma once

#include <cstdint>

#include "core/aead.h"
#include "core/bytes.h"

namespace nsm::io {

inline constexpr std::size_t kTransportHeaderBytes = 16;
inline constexpr std::size_t kTransportOverheadBytes = kTransportHeaderBytes + kTagBytes;
inline constexpr std::size_t kPaddingBytes = 16;  // plaintext is padded to a multiple, but not past the MTU

inline constexpr std::uint32_t kInitiationType = 1;
inline constexpr std::uint32_t kResponseType = 2;
inline constexpr std::uint32_t kCookieReplyType = 3;
inline constexpr std::uint32_t kTransportType = 4;
inline constexpr std::size_t kInitiationBytes = 148;  // the longest handshake message

// The type together with the reserved bytes, which are zero in every message; 0 when there is none.
inline std::uint32_t message_type(ConstBytes datagram) noexcept {
  return datagram.size() < 4 ? 0 : load_le<std::uint32_t>(datagram.data());
}

inline bool is_handshake(ConstBytes datagram) noexcept {
  switch (message_type(datagram)) {
    case kInitiationType:
      return datagram.size() == kInitiationBytes;
    case kResponseType:
      return datagram.size() == 92;
    case kCookieReplyType:
      return datagram.size() == 64;
  }
  return false;
}

}  // namespace nsm::io
