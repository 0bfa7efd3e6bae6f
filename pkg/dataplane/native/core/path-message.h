// What two nsmesh nodes say to each other about the path between them. It
// travels as the plaintext of a data message, where a packet would be: sealed,
// counted and replay-checked like one, so nobody else can ask or answer.
//
//     0..5   zero: no IP packet and no Ethernet frame of ours begins so
//     6      version, 1         8..11  sequence
//     7      kind               12..19 sent: the prober's clock, ns
//                               20..23 bytes: of the probe's whole plaintext
//     24..   zero, as far as the probe is to be long; an echo ends here
//
// Little endian. Spoken only where both ends have agreed on it.
#pragma once

#include <algorithm>
#include <optional>

#include "bytes.h"

namespace nsm {

enum class PathKind : std::uint8_t { kProbe = 1, kEcho = 2 };

struct PathMessage {
  PathKind kind = PathKind::kProbe;
  std::uint32_t sequence = 0;
  std::uint64_t sent_ns = 0;
  std::uint32_t bytes = 0;

  friend bool operator==(const PathMessage&, const PathMessage&) noexcept = default;
};
inline constexpr std::size_t kPathMessageBytes = 24;
inline constexpr std::size_t kPathMessageZeros = 6;
inline constexpr std::uint8_t kPathVersion = 1;

// Whether it can be nothing else; read_path_message() says if it makes sense.
inline bool is_path_message(ConstBytes plaintext) noexcept {
  return plaintext.size() >= kPathMessageBytes &&
         std::all_of(plaintext.begin(), plaintext.begin() + kPathMessageZeros, [](auto b) { return b == 0; });
}

inline std::optional<PathMessage> read_path_message(ConstBytes plaintext) noexcept {
  if (!is_path_message(plaintext) || plaintext[6] != kPathVersion) return std::nullopt;
  const std::uint8_t* at = plaintext.data();
  const PathMessage message{static_cast<PathKind>(at[7]), load_le<std::uint32_t>(at + 8),
                            load_le<std::uint64_t>(at + 12), load_le<std::uint32_t>(at + 20)};
  switch (message.kind) {
    case PathKind::kProbe:  // as long as it says, or a bottleneck could be hidden
      if (message.bytes == plaintext.size()) return message;
      return std::nullopt;
    case PathKind::kEcho:
      return message;
  }
  return std::nullopt;
}

// Fills all of `plaintext`, at least kPathMessageBytes.
inline void write_path_message(const PathMessage& message, Bytes plaintext) noexcept {
  std::fill(plaintext.begin(), plaintext.end(), std::uint8_t{0});
  plaintext[6] = kPathVersion;
  plaintext[7] = static_cast<std::uint8_t>(message.kind);
  store_le(plaintext.data() + 8, message.sequence);
  store_le(plaintext.data() + 12, message.sent_ns);
  store_le(plaintext.data() + 20, message.bytes);
}

}  // namespace nsm
