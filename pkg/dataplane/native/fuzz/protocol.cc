// What holder and engine read from each other: frames, their attributes, and answers.
#include "fuzzed-input.h"
#include "protocol/fields.h"

using nsm::fuzz::require;
namespace protocol = nsm::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  protocol::View stream(data, size);
  protocol::Frame frame;
  while (protocol::next_frame(stream, frame) == protocol::FrameState::kComplete) {
    require(!frame.bytes.empty() && frame.bytes.data() == stream.data());
    require(frame.bytes.size() <= stream.size());
    protocol::read_answer(frame);
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
