// The four message types of WireGuard (whitepaper section 5.4) in their wire format.
// Their structs consist of byte arrays only, so they have no padding and no alignment.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "aead.h"
#include "blake2s.h"
#include "bytes.h"
#include "tai64n.h"
#include "xaead.h"

namespace nsm {

enum class MessageType : std::uint32_t { kInitiation = 1, kResponse = 2, kCookieReply = 3, kData = 4 };

template <std::size_t N>
using Sealed = std::array<std::uint8_t, N + kTagBytes>;
// The type in the first byte, then three reserved bytes that are zero.
using TypeField = std::array<std::uint8_t, 4>;
using IndexField = std::array<std::uint8_t, 4>;  // little endian

struct Initiation {
  static constexpr MessageType kType = MessageType::kInitiation;
  TypeField type;
  IndexField sender;
  Key ephemeral;
  Sealed<kKeyBytes> initiator_static;
  Sealed<kTimestampBytes> timestamp;
  Mac mac1;
  Mac mac2;
};
static_assert(sizeof(Initiation) == 148);

struct Response {
  static constexpr MessageType kType = MessageType::kResponse;
  TypeField type;
  IndexField sender;
  IndexField receiver;
  Key ephemeral;
  Sealed<0> nothing;
  Mac mac1;
  Mac mac2;
};
static_assert(sizeof(Response) == 92);

struct CookieReply {
  static constexpr MessageType kType = MessageType::kCookieReply;
  TypeField type;
  IndexField receiver;
  std::array<std::uint8_t, kXNonceBytes> nonce;
  Sealed<kMacBytes> cookie;
};
static_assert(sizeof(CookieReply) == 64);

// The header of a data message. The sealed plaintext and its tag follow.
struct DataHeader {
  static constexpr MessageType kType = MessageType::kData;
  TypeField type;
  IndexField receiver;
  std::array<std::uint8_t, 8> counter;  // little endian
};
inline constexpr std::size_t kDataHeaderBytes = sizeof(DataHeader);
static_assert(kDataHeaderBytes == 16);
// What a data message is longer than its plaintext. A keepalive has no plaintext.
inline constexpr std::size_t kDataOverheadBytes = kDataHeaderBytes + kTagBytes;
inline constexpr std::size_t kPaddingBytes = 16;

// Data is padded with zeros to a multiple of 16, but never beyond the MTU.
constexpr std::size_t padded_bytes(std::size_t bytes, std::size_t mtu_bytes) noexcept {
  const std::size_t aligned = (bytes + kPaddingBytes - 1) / kPaddingBytes * kPaddingBytes;
  return std::max(bytes, std::min(aligned, mtu_bytes));
}

// `datagram` is at least as long as a type field. The reserved bytes have to be zero.
inline bool has_type(ConstBytes datagram, MessageType type) noexcept {
  return load_le<std::uint32_t>(datagram.data()) == static_cast<std::uint32_t>(type);
}

template <typename Message>
Message make_message() noexcept {
  Message message = {};
  store_le(message.type.data(), static_cast<std::uint32_t>(Message::kType));
  return message;
}

// Whether `datagram` has the type and the length of this message. Nothing else is checked.
template <typename Message>
bool is_message(ConstBytes datagram) noexcept {
  return datagram.size() == sizeof(Message) && has_type(datagram, Message::kType);
}

template <typename Message>
std::optional<Message> read_message(ConstBytes datagram) noexcept {
  if (!is_message<Message>(datagram)) return std::nullopt;
  Message message;
  std::memcpy(&message, datagram.data(), sizeof message);
  return message;
}

inline bool is_handshake(ConstBytes datagram) noexcept {
  return is_message<Initiation>(datagram) || is_message<Response>(datagram) ||
         is_message<CookieReply>(datagram);
}
inline constexpr std::size_t kMaxHandshakeBytes = sizeof(Initiation);

template <typename Message>
Bytes bytes_of(Message& message) noexcept {
  return {reinterpret_cast<std::uint8_t*>(&message), sizeof message};
}
template <typename Message>
ConstBytes bytes_of(const Message& message) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(&message), sizeof message};
}

inline std::uint32_t index_of(const IndexField& field) noexcept {
  return load_le<std::uint32_t>(field.data());
}

// What the header of a data message says: which session it belongs to, and the nonce.
struct DataAddress {
  std::uint32_t receiver = 0;
  std::uint64_t counter = 0;
};
// Absent when the datagram is no data message: another type, or shorter than a keepalive.
inline std::optional<DataAddress> read_data_header(ConstBytes datagram) noexcept {
  if (datagram.size() < kDataOverheadBytes || !has_type(datagram, MessageType::kData)) return std::nullopt;
  return DataAddress{load_le<std::uint32_t>(datagram.data() + offsetof(DataHeader, receiver)),
                     load_le<std::uint64_t>(datagram.data() + offsetof(DataHeader, counter))};
}
inline void write_data_header(std::span<std::uint8_t, kDataHeaderBytes> header,
                              DataAddress address) noexcept {
  store_le(header.data(), static_cast<std::uint32_t>(MessageType::kData));
  store_le(header.data() + offsetof(DataHeader, receiver), address.receiver);
  store_le(header.data() + offsetof(DataHeader, counter), address.counter);
}

}  // namespace nsm
