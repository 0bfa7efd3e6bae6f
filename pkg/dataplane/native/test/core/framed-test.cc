// The encoding of Ethernet frames inside data messages.
#include "core/framed.h"

#include "check.h"
#include "packets.h"

namespace nsm::test {
namespace {

// A plaintext whose length field contains `said`, followed by `rest` bytes.
Packet plaintext(std::size_t said, std::size_t rest) {
  Packet out(kFrameLengthBytes + rest, 0xab);
  write_frame_length(std::span<std::uint8_t, kFrameLengthBytes>(out.data(), kFrameLengthBytes), said);
  return out;
}

TEST("a frame is read as it was written, without its padding") {
  for (const std::size_t bytes : {14, 15, 60, 1514, 65533, 65535})
    for (const std::size_t padding : {0, 1, 15}) {
      Packet written = plaintext(bytes, bytes + padding);
      const auto frame = read_frame(written);
      CHECK(frame && frame->size() == bytes && frame->data() == written.data() + kFrameLengthBytes);
    }
}

TEST("a length that no frame can have, or that exceeds the plaintext, is refused") {
  for (std::size_t said = 0; said < kEthernetBytes; said++) {
    Packet written = plaintext(said, 100);
    CHECK(!read_frame(written));
  }
  for (std::size_t said = 101; said <= kMaxFrameBytes; said++) {
    Packet written = plaintext(said, 100);
    CHECK(!read_frame(written));
  }
}

TEST("every truncation is refused") {
  Packet whole = plaintext(60, 60);
  for (std::size_t size = 0; size < whole.size(); size++) CHECK(!read_frame(Bytes(whole).first(size)));
  CHECK(read_frame(whole).has_value());
}

TEST("a plaintext that begins with zeros is never a frame") {
  Packet zeros(64, 0);
  CHECK(!read_frame(zeros));
}

}  // namespace
}  // namespace nsm::test
