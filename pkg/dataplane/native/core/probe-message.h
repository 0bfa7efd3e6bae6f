// The messages with which two nsmesh nodes measure the link quality between them. A
// probe message travels as the plaintext of a data message, in the place of a packet:
// sealed, counted and protected against replay like one, so no one else can ask or
// answer.
//
//     0..5   zero: no IP packet and no Ethernet frame of ours begins like this
//     6      version, 1         8..11  sequence
//     7      kind               12..19 sent: the prober's clock, ns
//                               20..23 bytes: length of the probe's whole plaintext
//     24..   zero, up to the length of the probe; an echo ends here
//
// Little endian. Sent only where both ends have agreed to it.
#pragma once

#include <algorithm>
#include <optional>

#include "bytes.h"

namespace nsm {

enum class ProbeMessageKind : std::uint8_t { kProbe = 1, kEcho = 2 };

struct ProbeMessage {
  ProbeMessageKind kind = ProbeMessageKind::kProbe;
  std::uint32_t sequence = 0;
  std::uint64_t sent_ns = 0;
  std::uint32_t bytes = 0;

  friend bool operator==(const ProbeMessage&, const ProbeMessage&) noexcept = default;
};
inline constexpr std::size_t kProbeMessageBytes = 24;
inline constexpr std::size_t kProbeMessageZeros = 6;
inline constexpr std::uint8_t kProbeVersion = 1;

// Whether it can be nothing else. read_probe_message() says whether it is valid.
inline bool is_probe_message(ConstBytes plaintext) noexcept {
  return plaintext.size() >= kProbeMessageBytes &&
         std::all_of(plaintext.begin(), plaintext.begin() + kProbeMessageZeros,
                     [](auto b) { return b == 0; });
}

inline std::optional<ProbeMessage> read_probe_message(ConstBytes plaintext) noexcept {
  if (!is_probe_message(plaintext) || plaintext[6] != kProbeVersion) return std::nullopt;
  const std::uint8_t* at = plaintext.data();
  const ProbeMessage message{static_cast<ProbeMessageKind>(at[7]), load_le<std::uint32_t>(at + 8),
                             load_le<std::uint64_t>(at + 12), load_le<std::uint32_t>(at + 20)};
  switch (message.kind) {
    case ProbeMessageKind::kProbe:  // has to have the length it states, or it could hide a bottleneck
      if (message.bytes == plaintext.size()) return message;
      return std::nullopt;
    case ProbeMessageKind::kEcho:
      return message;
  }
  return std::nullopt;
}

// Fills all of `plaintext`, which has at least kProbeMessageBytes.
inline void write_probe_message(const ProbeMessage& message, Bytes plaintext) noexcept {
  std::fill(plaintext.begin(), plaintext.end(), std::uint8_t{0});
  plaintext[6] = kProbeVersion;
  plaintext[7] = static_cast<std::uint8_t>(message.kind);
  store_le(plaintext.data() + 8, message.sequence);
  store_le(plaintext.data() + 12, message.sent_ns);
  store_le(plaintext.data() + 20, message.bytes);
}

}  // namespace nsm
