// Ethernet frames: encoded in the plaintext of a data message, admitted from a TAP device, and the
// IP packet inside them.
#include "core/ethernet.h"

#include "core/framed.h"
#include "fuzzed-input.h"
#include "pipeline/admit-frame.h"
#include "test/pipeline/fakes.h"

namespace {

using nsm::Tx;
using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::test::Packet;

void check_framing(Packet plaintext) {
  const auto frame = nsm::read_frame(plaintext);
  const std::size_t said = plaintext.size() < 2 ? 0 : plaintext[0] * 256u + plaintext[1];
  require(frame.has_value() == (said >= 14 && said + 2 <= plaintext.size()));
  if (!frame) return;
  require(frame->data() == plaintext.data() + 2 && frame->size() == said);
  std::array<std::uint8_t, nsm::kFrameLengthBytes> length;
  nsm::write_frame_length(length, said);
  require(length[0] == plaintext[0] && length[1] == plaintext[1]);
}

void check_inner(const Packet& frame) {
  const auto ip = nsm::parse_ethernet_ip(frame);
  if (!ip) return;
  require(nsm::load_be16(&frame[12]) == (frame[14] >> 4 == 4 ? 0x0800 : 0x86dd));
  require(ip->source > &frame[14] && ip->header_bytes <= ip->total_bytes);
  require(14 + ip->total_bytes <= frame.size());
}

// A complete or truncated frame with the right EtherType, with or without a VLAN tag.
Packet next_frame(FuzzedInput& input, nsm::VnetHeader& header) {
  const nsm::test::PacketSpec spec = {.v6 = input.flag(), .tcp = input.flag(), .payload = input.below(4000)};
  const Packet ip = make_packet(spec);
  Packet frame(12, 0xee);
  if (input.flag()) frame.insert(frame.end(), {0x81, 0x00, 0x00, 0x07});
  header.flags = nsm::kVnetNeedsChecksum;
  header.gso_type = !spec.tcp ? nsm::kGsoUdpL4 : spec.v6 ? nsm::kGsoTcp6 : nsm::kGsoTcp4;
  header.gso_bytes = static_cast<std::uint16_t>(input.below(1500));
  header.csum_start = static_cast<std::uint16_t>(frame.size() + 2 + (spec.v6 ? 40 : 20));
  header.csum_offset = spec.tcp ? 16 : 6;
  frame.insert(frame.end(), {spec.v6 ? std::uint8_t{0x86} : std::uint8_t{0x08},
                             spec.v6 ? std::uint8_t{0xdd} : std::uint8_t{0}});
  frame.insert(frame.end(), ip.begin(), ip.end());
  if (input.flag()) header = {};
  nsm::fuzz::damage(input, frame);
  return frame;
}

// Checks that the answer is a single ICMP error for the sender.
void check_answer(Packet answer, const Packet& frame) {
  const auto header_end = answer.begin() + nsm::kVnetHeaderBytes;
  require(std::all_of(answer.begin(), header_end, [](auto byte) { return byte == 0; }));
  answer.erase(answer.begin(), header_end);
  require(answer.size() <= nsm::kEthernetBytes + 1280);
  require(std::equal(answer.begin(), answer.begin() + 6, frame.begin() + 6));
  const auto ip = nsm::parse_ethernet_ip(answer);
  require(ip && ip->protocol == (ip->family == 4 ? 1 : 58));
  require(nsm::kEthernetBytes + ip->total_bytes == answer.size());
}

// A refused frame is counted once; an admitted one fits, and each segment has the frame's headers.
void check_admitted(const nsm::VnetHeader& header, const Packet& frame, std::uint32_t mtu_bytes) {
  nsm::test::FakeSource tap;
  nsm::Counters counters;
  Packet in_place = frame;
  const auto segments = nsm::admit_frame({header, in_place}, {mtu_bytes, tap}, counters);
  require(counters.tx.at(Tx::malformed) + counters.tx.at(Tx::oversize) == (segments ? 0 : 1));
  const auto answers = tap.take();
  require(answers.size() <= counters.tx.at(Tx::oversize));
  for (const Packet& answer : answers) check_answer(answer, frame);
  if (!segments) return;
  const std::size_t link = nsm::link_header_bytes(frame);
  for (std::size_t index = 0; index < segments->segments(); index++) {
    Packet segment(segments->segment_bytes());
    segment.resize(segments->write(index, segment));
    require(segment.size() <= link + mtu_bytes && segment.size() <= nsm::kMaxFrameBytes);
    require(std::equal(segment.begin(), segment.begin() + 14, frame.begin()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  check_framing(Packet(data, data + size));
  check_inner(Packet(data, data + size));
  nsm::VnetHeader header;
  const std::uint32_t mtu_bytes = 68 + static_cast<std::uint32_t>(input.below(9000));
  const Packet frame = next_frame(input, header);
  check_inner(frame);
  check_admitted(header, frame, mtu_bytes);
  return 0;
}
