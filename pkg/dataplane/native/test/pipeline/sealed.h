// Data messages encrypted as the far side of a session would.
#pragma once

#include "core/aead.h"
#include "core/messages.h"
#include "test/core/packets.h"

namespace nsm::test {

// `receiver` and the counter go into the header; `key` is the session's.
inline Packet sealed(AeadKey& key, DataAddress address, const Packet& plaintext) {
  Packet message(kDataHeaderBytes);
  write_data_header(std::span<std::uint8_t, kDataHeaderBytes>(message), address);
  message.insert(message.end(), plaintext.begin(), plaintext.end());
  message.resize(message.size() + kTagBytes);
  AeadJob job[1] = {{message.data() + kDataHeaderBytes, static_cast<std::uint32_t>(plaintext.size()),
                     address.counter, false}};
  key.seal(job);
  return message;
}

// The plaintext of a data message; empty if it is not authentic.
inline std::optional<Packet> opened(AeadKey& key, Packet message) {
  const auto address = read_data_header(message);
  if (!address) return std::nullopt;
  const auto bytes = static_cast<std::uint32_t>(message.size() - kDataOverheadBytes);
  AeadJob job[1] = {{message.data() + kDataHeaderBytes, bytes, address->counter, false}};
  key.open(job);
  if (!job[0].ok) return std::nullopt;
  return Packet(message.begin() + kDataHeaderBytes, message.end() - kTagBytes);
}

}  // namespace nsm::test
