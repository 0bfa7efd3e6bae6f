// What is longer than the MTU of the wire now leaves in fragments, super-packets and frames included.
#include "pipeline/fragmenter.h"

#include "fakes.h"
#include "pipeline/admit-frame.h"
#include "pipeline/admit-packet.h"
#include "test/core/check.h"
#include "test/core/reassembly.h"

namespace nsm::test {
namespace {

constexpr std::uint32_t kMtu = 1000;
const PacketSpec kUdp = {.tcp = false, .payload = 1400, .dont_fragment = false};

std::vector<Packet> split(const GsoPacket& segments) {
  Fragmenter fragmenter;
  std::vector<Packet> pieces;
  fragmenter.split(segments, kMtu, [&](const GsoPacket& piece) {
    for (std::size_t i = 0; i < piece.segments(); i++) {
      Packet out(piece.segment_bytes());
      out.resize(piece.write(i, out));
      pieces.push_back(out);
    }
  });
  return pieces;
}

struct Tun {
  Tun() {
    rules.local.add({.family = 4, .length = 32, .address = {10, 0, 0, 1}});
    rules.remote.add({.family = 4, .length = 32, .address = {10, 0, 0, 2}});
  }
  std::optional<GsoPacket> admit(Packet& packet, const VnetHeader& header = {}) {
    return admit_packet({header, packet}, {rules, kMtu, source}, counters);
  }
  InnerRules rules;
  FakeSource source;
  Counters counters;
};

TEST("a packet without DF that is too long is admitted, not answered, and leaves in fragments") {
  Tun tun;
  Packet packet = make_packet(kUdp);
  const Packet whole = packet;
  const auto segments = tun.admit(packet);
  CHECK(segments && is_too_long(*segments, kMtu) && tun.source.take().empty());
  const auto pieces = split(*segments);
  CHECK(pieces.size() == 2 && reassemble(pieces, whole) == whole);
  CHECK(tun.counters.tx.at(Tx::oversize) == 0);
}

TEST("a checksum that the kernel has left to us is complete before the packet is cut") {
  Tun tun;
  const Packet whole = make_packet(kUdp);
  Packet packet = whole;
  const Packet pseudo = summed_part(whole);
  store_be16(&packet[26],
             static_cast<std::uint16_t>(~naive_checksum(Packet(pseudo.begin(), pseudo.begin() + 16))));
  const VnetHeader header = {.flags = kVnetNeedsChecksum, .csum_start = 20, .csum_offset = 6};
  const auto segments = tun.admit(packet, header);
  CHECK(segments && reassemble(split(*segments), whole) == whole);
}

TEST("each segment of a super-packet is fragmented by itself, with an ID of its own") {
  Tun tun;
  PacketSpec spec = kUdp;
  spec.payload = 4 * 1400 + 100;
  Packet super = make_packet(spec);
  const VnetHeader header = {.flags = kVnetNeedsChecksum,
                             .gso_type = kGsoUdpL4,
                             .gso_bytes = 1400,
                             .csum_start = 20,
                             .csum_offset = 6};
  const auto segments = tun.admit(super, header);
  CHECK(segments && segments->segments() == 5);
  const auto pieces = split(*segments);
  CHECK(pieces.size() == 9);
  std::map<std::uint16_t, std::vector<Packet>> by_id;
  for (const Packet& piece : pieces) by_id[load_be16(&piece[4])].push_back(piece);
  CHECK(by_id.size() == 5);
  for (std::size_t i = 0; i < 5; i++) {
    Packet segment(segments->segment_bytes());
    segment.resize(segments->write(i, segment));
    CHECK(checksums_right(segment) && reassemble(by_id.at(load_be16(&segment[4])), segment) == segment);
  }
}

TEST("a frame is fragmented behind its Ethernet header, and one with a VLAN tag is refused as before") {
  FakeSource source;
  Counters counters;
  const Packet whole = make_packet(kUdp);
  Packet frame(12, 0x02);
  frame.insert(frame.end(), {0x08, 0x00});
  frame.insert(frame.end(), whole.begin(), whole.end());
  const auto segments = admit_frame({{}, frame}, {kMtu, source}, counters);
  CHECK(segments && is_too_long(*segments, kMtu) && source.take().empty());
  std::vector<Packet> inner;
  for (const Packet& piece : split(*segments)) {
    CHECK(std::equal(piece.begin(), piece.begin() + 14, frame.begin()));
    inner.emplace_back(piece.begin() + 14, piece.end());
  }
  CHECK(inner.size() == 2 && reassemble(inner, whole) == whole);
  Packet tagged = frame;
  const std::uint8_t tag[] = {0x81, 0x00, 0x00, 0x05};
  tagged.insert(tagged.begin() + 12, tag, tag + 4);
  CHECK(!admit_frame({{}, tagged}, {kMtu, source}, counters) && counters.tx.at(Tx::oversize) == 1);
}

TEST("with DF, or of IPv6, a packet that is too long is answered as before") {
  Tun tun;
  tun.rules.local.add({.family = 6, .length = 0, .address = {}});
  tun.rules.remote.add({.family = 6, .length = 0, .address = {}});
  for (const bool v6 : {false, true}) {
    Packet packet = make_packet({.v6 = v6, .tcp = false, .payload = 1400});
    CHECK(!tun.admit(packet) && tun.source.take().size() == 1);
  }
}

}  // namespace
}  // namespace nsm::test
