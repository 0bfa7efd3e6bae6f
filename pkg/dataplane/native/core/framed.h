// An Ethernet frame as the plaintext of a data message. A frame does not state its
// length and the plaintext is padded, so the length goes in front.
//
//     byte 0..1                 2..              rest
//          length, big endian   Ethernet frame   padding, ignored
//
// INVARIANT: a frame has at least 14 bytes, so the length is never zero. Plaintexts
// that begin with zeros are free for other uses (probe-message.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "bytes.h"
#include "ethernet.h"

namespace nsm {

inline constexpr std::size_t kFrameLengthBytes = 2;
inline constexpr std::size_t kMaxFrameBytes = 65535;  // the greatest value of the length field

// `frame_bytes` is at most kMaxFrameBytes. The frame starts behind the length.
inline void write_frame_length(std::span<std::uint8_t, kFrameLengthBytes> plaintext,
                               std::size_t frame_bytes) noexcept {
  store_be16(plaintext.data(), static_cast<std::uint16_t>(frame_bytes));
}

// Absent: the length is too small for a frame, or greater than the plaintext.
inline std::optional<Bytes> read_frame(Bytes plaintext) noexcept {
  if (plaintext.size() < kFrameLengthBytes + kEthernetBytes) return std::nullopt;
  const std::size_t frame_bytes = load_be16(plaintext.data());
  if (frame_bytes < kEthernetBytes || frame_bytes > plaintext.size() - kFrameLengthBytes) return std::nullopt;
  return plaintext.subspan(kFrameLengthBytes, frame_bytes);
}

}  // namespace nsm
