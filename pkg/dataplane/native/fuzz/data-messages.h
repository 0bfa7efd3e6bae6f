// Data messages encrypted as the far side of a session would.
#pragma once

#include <memory>
#include <span>

#include "core/aead.h"
#include "core/framed.h"
#include "core/messages.h"
#include "fuzzed-input.h"
#include "pipeline/inner-rules.h"
#include "test/core/packets.h"

namespace nsm::fuzz {

using test::Packet;

struct Message {
  std::uint64_t counter;
  Packet sealed;
  Packet inner;  // the packet that must be delivered; empty if none
};

inline bool v4(const Packet& ip) { return ip[0] >> 4 == 4; }
inline std::uint8_t& source_of(Packet& ip) { return ip[v4(ip) ? 12 : 8]; }

// A keepalive, or a packet of one of two flows, one of which has addresses that are not allowed.
inline Packet next_inner(FuzzedInput& input, bool& allowed) {
  const std::uint8_t shape = input.number<std::uint8_t>();
  if (shape % 4 == 0) return {};
  Packet packet = test::make_packet({.v6 = (shape & 16) != 0,
                                     .tcp = false,
                                     .payload = input.below(600),
                                     .fill = input.number<std::uint8_t>()});
  allowed = shape % 4 != 1;
  if (!allowed) source_of(packet) ^= 1;
  return packet;
}

inline Packet in_frame(const Packet& ip) {
  Packet frame(kEthernetBytes, 0xee);
  store_be16(frame.data() + kEtherTypeAt, v4(ip) ? kEtherTypeIpv4 : kEtherTypeIpv6);
  frame.insert(frame.end(), ip.begin(), ip.end());
  return frame;
}

// Encrypts with any implementation of the AEAD; the port decrypts with the preferred one.
class Sender {
 public:
  Sender(std::uint32_t index, Payload payload, std::unique_ptr<AeadKey> key)
      : index_(index), payload_(payload), key_(std::move(key)) {}

  Message next(FuzzedInput& input) {
    if (input.number<std::uint8_t>() % 8 == 0) counter_ += input.number<std::uint16_t>();
    bool allowed = true;
    Packet inner = next_inner(input, allowed);
    if (payload_ == Payload::kIp) return {counter_, seal(inner), allowed ? inner : Packet()};
    if (inner.empty()) return {counter_, seal(inner), {}};
    inner = in_frame(inner);
    Packet plain(kFrameLengthBytes);
    write_frame_length(std::span<std::uint8_t, 2>(plain), inner.size());
    plain.insert(plain.end(), inner.begin(), inner.end());
    return {counter_, seal(plain), inner};
  }

 private:
  Packet seal(Packet plain) {
    plain.resize(padded_bytes(plain.size(), 1420));
    Packet sealed(kDataHeaderBytes);
    write_data_header(std::span<std::uint8_t, 16>(sealed), {index_, counter_});
    sealed.insert(sealed.end(), plain.begin(), plain.end());
    sealed.resize(sealed.size() + kTagBytes);
    std::uint8_t* const text = sealed.data() + kDataHeaderBytes;
    AeadJob job[1] = {{text, static_cast<std::uint32_t>(plain.size()), counter_++, false}};
    key_->seal(job);
    return sealed;
  }

  std::uint32_t index_;
  Payload payload_;
  std::unique_ptr<AeadKey> key_;
  std::uint64_t counter_ = 0;
};

}  // namespace nsm::fuzz
