// An Ethernet frame as the plaintext of a WireGuard transport message. A frame
// does not say how long it is, and the plaintext is padded: so the length goes in front.
//
//     byte 0..1                 2..              rest
//          length, big endian   Ethernet frame   zeros, not looked at
//
// INVARIANT: a frame has at least 14 bytes, so the length is never zero: messages
// that begin with zeros are left to other uses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bytes.h"
#include "ethernet.h"

namespace nsm {

inline constexpr std::size_t kFrameLengthBytes = 2;
inline constexpr std::size_t kMaxFrameBytes = 65535;  // what the length can say

// `frame_bytes` is at most kMaxFrameBytes; the frame starts behind the length.
inline void write_frame_length(std::span<std::uint8_t, kFrameLengthBytes> plaintext,
                               std::size_t frame_bytes) noexcept {
  store_be16(plaintext.data(), static_cast<std::uint16_t>(frame_bytes));
}

// Absent when what the length says is no frame, or more than there is.
inline std::optional<Bytes> read_frame(Bytes plaintext) noexcept {
  if (plaintext.size() < kFrameLengthBytes + kEthernetBytes) return std::nullopt;
  const std::size_t frame_bytes = load_be16(plaintext.data());
  if (frame_bytes < kEthernetBytes || frame_bytes > plaintext.size() - kFrameLengthBytes) return std::nullopt;
  return plaintext.subspan(kFrameLengthBytes, frame_bytes);
}

}  // namespace nsm
