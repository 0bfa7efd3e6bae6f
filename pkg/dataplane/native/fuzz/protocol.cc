// The messages that holder and engine receive from each other: parsing them and their attributes, and
// passing answers on unchanged.
#include "fuzzed-input.h"
#include "protocol/fields.h"

using nsm::fuzz::require;
namespace protocol = nsm::protocol;

namespace {

void check_answer(const protocol::Frame& frame) {
  constexpr int kMaxErrno = 4095;
  const protocol::Status status = protocol::read_answer(frame);
  require(status.error >= 0 && status.error <= kMaxErrno);
  const protocol::Bytes passed_on = protocol::answer(frame, status);
  protocol::Frame again;
  require(protocol::next_frame(passed_on, again) == protocol::FrameState::kComplete);
  const protocol::Status read = protocol::read_answer(again);
  require(read.error == status.error && read.text == status.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  protocol::View stream(data, size);
  protocol::Frame frame;
  while (protocol::next_frame(stream, frame) == protocol::FrameState::kComplete) {
    require(!frame.bytes.empty() && frame.bytes.data() == stream.data());
    require(frame.bytes.size() <= stream.size());
    check_answer(frame);
    protocol::Fields fields;
    if (fields.parse_any(frame.attributes).ok()) {
      for (std::uint16_t attribute = 0; attribute < protocol::kAttributeCount; attribute++) {
        if (!fields.has(attribute)) continue;
        const protocol::View value = fields.bytes(attribute);
        require(value.data() >= frame.attributes.data());
        require(value.data() + value.size() <= frame.attributes.data() + frame.attributes.size());
      }
    }
    stream = stream.subspan(frame.bytes.size());
  }
  return 0;
}
