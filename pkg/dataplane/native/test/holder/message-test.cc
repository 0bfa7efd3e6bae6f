// Messages and attributes: each survives the round trip, and no truncated or corrupted message is
// read out of bounds or taken for something else.
#include <errno.h>
#include <linux/netlink.h>

#include <cstdio>
#include <cstring>
#include <random>

#include "protocol/fields.h"

namespace {

using namespace nsm::protocol;

int passed = 0, failed = 0;

void check(bool holds, const char* claim) {
  ++(holds ? passed : failed);
  if (!holds) std::printf("FAILED: %s\n", claim);
}

Bytes port_message() {
  MessageBuilder message(kPortSet, NLM_F_REQUEST | NLM_F_ACK, 7);
  const std::uint8_t prefix[] = {2, 32, 172, 16, 1, 101};
  message.text(kId, "conn-1:c").u8(kKind, kTun).u64(kNsDev, 4).u64(kNsIno, 4026532405).text(kIfname, "nsm-1");
  return message.bytes(kLocalPrefix, prefix).bytes(kLocalPrefix, prefix).u32(kMtuBytes, 1420).take();
}

// A heap copy of exactly this size, so that AddressSanitizer detects a read beyond it.
Bytes exactly(View bytes) { return Bytes(bytes.begin(), bytes.end()); }

void round_trip() {
  const Bytes bytes = port_message();
  Frame frame;
  Fields fields;
  check(next_frame(bytes, frame) == FrameState::kComplete && frame.bytes.size() == bytes.size(),
        "a frame is complete");
  check(frame.type == kPortSet && frame.sequence == 7, "type and sequence number survive");
  check(fields.parse_any(frame.attributes).ok(), "known attributes are accepted");
  check(fields.text(kId) == "conn-1:c" && fields.u8(kKind) == kTun && fields.u64(kNsIno) == 4026532405,
        "values");
  int prefixes = 0;
  fields.each(kLocalPrefix, [&](View value) { prefixes += value.size() == 6; });
  check(prefixes == 2, "every repeated attribute is visited");
  check(fields.require({kId, kIfname}).ok() && fields.require({kVni}).error == EINVAL,
        "the error names a missing attribute");
  check(fields.parse(frame.attributes, {kId}).error == EOPNOTSUPP,
        "an attribute that the message does not allow is refused");
}

void truncations() {
  const Bytes whole = port_message();
  Frame frame;
  bool incomplete = true, refused = true;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut = exactly(View(whole).first(size));
    incomplete &= next_frame(cut, frame) == FrameState::kIncomplete;
    if (size <= NLMSG_HDRLEN) continue;
    Fields fields;
    const Bytes attributes = exactly(View(cut).subspan(NLMSG_HDRLEN));
    const bool complete = fields.parse_any(attributes).ok() && fields.require({kId, kIfname, kMtuBytes}).ok();
    refused &= !complete;
  }
  check(incomplete, "a truncated frame is incomplete at every length");
  check(refused, "truncated attributes are refused at every length");
}

void flipped_bytes() {
  std::mt19937 random(1);
  const Bytes whole = port_message();
  bool sound = true;
  for (int round = 0; round < 200'000; ++round) {
    Bytes bytes = whole;
    for (int flips = 0; flips < 3; ++flips)
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    Frame frame;
    Fields fields;
    if (next_frame(bytes, frame) != FrameState::kComplete) continue;
    if (!fields.parse_any(frame.attributes).ok()) continue;
    fields.each(kLocalPrefix, [&](View value) { sound &= value.size() >= 6 && value.size() <= 18; });
    if (fields.has(kIfname)) sound &= fields.text(kIfname).size() <= 15;
    read_answer(frame);
  }
  check(sound, "values that are read from a corrupted message stay within their bounds");
}

void lengths() {
  Frame frame;
  for (const std::uint32_t length : {0u, 15u, kMaxMessageBytes + 1, 0xffffffffu}) {
    Bytes bytes = port_message();
    std::memcpy(bytes.data(), &length, sizeof length);
    check(next_frame(bytes, frame) == FrameState::kMalformed,
          "a frame with an impossible length is malformed");
  }
  Fields fields;
  const Bytes twice = MessageBuilder(0, 0, 0).u8(kKind, 1).u8(kKind, 2).take();
  check(fields.parse_any(View(twice).subspan(NLMSG_HDRLEN)).error == EINVAL,
        "a single attribute must not be repeated");
  const Bytes unknown = MessageBuilder(0, 0, 0).u8(999, 1).take();
  check(fields.parse_any(View(unknown).subspan(NLMSG_HDRLEN)).error == EOPNOTSUPP,
        "an unknown attribute is refused");
  for (const char* id : {"a b", "a/b", "\xc3\xa4", ""}) {
    const Bytes bad = MessageBuilder(0, 0, 0).text(kId, id).take();
    check(fields.parse_any(View(bad).subspan(NLMSG_HDRLEN)).error == EINVAL,
          "an id with other characters is refused");
  }
  const Bytes terminated = MessageBuilder(0, 0, 0).text(kId, std::string_view("port\0", 5)).take();
  check(fields.parse_any(View(terminated).subspan(NLMSG_HDRLEN)).ok() && fields.text(kId) == "port",
        "a terminating zero is not part of a text");
}

void answers() {
  const Bytes request_bytes = port_message();
  Frame request, frame;
  next_frame(request_bytes, request);
  const Bytes refusal = answer(request, {ENOENT, "there is no such underlay"});
  check(next_frame(refusal, frame) == FrameState::kComplete && frame.sequence == 7,
        "an answer has the sequence number of its request");
  const Status status = read_answer(frame);
  check(status.error == ENOENT && status.text == "there is no such underlay",
        "error number and text survive");
  const Bytes done = answer(request, {});
  next_frame(done, frame);
  check(frame.type == NLMSG_ERROR && read_answer(frame).ok(), "error 0 is an acknowledgement");
  next_frame(request_bytes, frame);
  check(read_answer(frame).error == EBADMSG, "a message of another type is not an answer");
  for (const std::int32_t error : {INT32_MIN, -4096, 1}) {
    Bytes odd = done;
    std::memcpy(odd.data() + NLMSG_HDRLEN, &error, sizeof error);
    next_frame(odd, frame);
    check(read_answer(frame).error == EBADMSG, "a number that is not an errno is not an answer");
  }
}

}  // namespace

int main() {
  round_trip();
  truncations();
  flipped_bytes();
  lengths();
  answers();
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
