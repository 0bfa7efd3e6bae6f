// Fakes for the interfaces around the pipeline stages; they record what they are given.
#pragma once

#include <utility>
#include <vector>

#include "core/vnet-header.h"
#include "pipeline/ingress-device.h"
#include "pipeline/note.h"
#include "pipeline/packet-source.h"
#include "test/core/packets.h"

namespace nsm::test {

// A device to which packets are written.
class FakeDevice final : public IngressDevice {
 public:
  struct Written {
    VnetHeader header;
    std::size_t packets;  // the number of packets that were joined
    Packet bytes;         // without the vnet header
  };

  explicit FakeDevice(bool takes_uso = true) noexcept : IngressDevice(takes_uso) {}
  void write(const VnetHeader& header, std::span<const Bytes> pieces) noexcept override {
    Written written{header, pieces.size(), {}};
    for (const Bytes piece : pieces) written.bytes.insert(written.bytes.end(), piece.begin(), piece.end());
    written_.push_back(std::move(written));
  }
  // Everything that was written since the last call.
  std::vector<Written> take() { return std::exchange(written_, {}); }

 private:
  std::vector<Written> written_;
};

// A device from which packets were read.
class FakeSource final : public PacketSource {
 public:
  void send_back(ConstBytes error) noexcept override { errors_.emplace_back(error.begin(), error.end()); }
  // The ICMP errors since the last call, each after its vnet header.
  std::vector<Packet> take() { return std::exchange(errors_, {}); }

 private:
  std::vector<Packet> errors_;
};

// A control thread that reads its notes only when the test says so.
class FakeNotes final : public NoteSink {
 public:
  static constexpr std::size_t kCapacity = 8;
  bool push(Note&& note) noexcept override {
    if (notes_.size() == kCapacity) return false;
    notes_.push_back(std::move(note));
    return true;
  }
  bool is_half_full() const noexcept override { return notes_.size() >= kCapacity / 2; }
  // The notes since the last call.
  std::vector<Note> take() { return std::exchange(notes_, {}); }

 private:
  std::vector<Note> notes_;
};

}  // namespace nsm::test
