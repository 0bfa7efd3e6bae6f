// The admission of frames from a TAP device: any frame whose payload does not exceed the MTU passes.
#include "pipeline/admit-frame.h"

#include "core/ethernet.h"
#include "fakes.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

struct Tap {
  std::optional<GsoPacket> admit(Packet& frame, const VnetHeader& header = {}) {
    return admit_frame({header, frame}, {mtu_bytes, source}, counters);
  }
  std::uint32_t mtu_bytes = 1420;
  FakeSource source;
  Counters counters;
};

constexpr std::uint16_t kArp = 0x0806;

// A unicast frame with this payload.
Packet frame_of(std::uint16_t ether_type, const Packet& payload) {
  Packet frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0};
  store_be16(frame.data() + kEtherTypeAt, ether_type);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

TEST("any frame passes, whatever its payload and addresses") {
  Tap tap;
  for (const Packet& payload : {Packet(1), Packet(46, 1), make_packet({})}) {
    Packet frame = frame_of(payload.size() > 60 ? kEtherTypeIpv4 : kArp, payload);
    const auto segments = tap.admit(frame);
    CHECK(segments && segments->segments() == 1 && segments->segment_bytes() == frame.size());
  }
}

TEST("a frame without a payload or with a truncated header is malformed") {
  Tap tap;
  for (std::size_t size = 0; size <= kEthernetBytes; size++) {
    Packet frame(size);
    CHECK(!tap.admit(frame));
  }
  CHECK(tap.counters.tx.at(Tx::malformed) == kEthernetBytes + 1);
}

TEST("the MTU limits the payload; the Ethernet header and a VLAN tag do not count") {
  Tap tap;
  Packet plain = frame_of(kArp, Packet(1420, 1)), longer = frame_of(kArp, Packet(1421, 1));
  CHECK(tap.admit(plain) && !tap.admit(longer));
  Packet tagged = frame_of(kEtherTypeVlan, Packet(4 + 1420, 1)),
         too_long = frame_of(kEtherTypeVlan, Packet(4 + 1421, 1));
  CHECK(tap.admit(tagged) && !tap.admit(too_long));
  CHECK(tap.counters.tx.at(Tx::oversize) == 2 && tap.source.take().empty());
}

TEST("an IP packet that is too long is answered with a frame to its sender") {
  Tap tap;
  for (const bool v6 : {false, true}) {
    Packet frame = frame_of(v6 ? kEtherTypeIpv6 : kEtherTypeIpv4, make_packet({.v6 = v6, .payload = 1500}));
    CHECK(!tap.admit(frame));
    const auto errors = tap.source.take();
    if (!CHECK(errors.size() == 1)) continue;
    const Packet error(errors[0].begin() + kVnetHeaderBytes, errors[0].end());
    CHECK(std::equal(error.begin(), error.begin() + 6, frame.begin() + 6) && parse_ethernet_ip(error));
  }
  CHECK(tap.counters.tx.at(Tx::oversize) == 2);
}

TEST("a multicast frame that is too long is not answered") {
  Tap tap;
  Packet frame = frame_of(kEtherTypeIpv4, make_packet({.payload = 1500}));
  frame[0] |= 1;
  CHECK(!tap.admit(frame) && tap.source.take().empty() && tap.counters.tx.at(Tx::oversize) == 1);
}

TEST("a super-frame is judged by the length of its segments") {
  Tap tap;
  Packet frame = frame_of(kEtherTypeIpv4, make_packet({.payload = 10'000}));
  const VnetHeader header = {.flags = kVnetNeedsChecksum,
                             .gso_type = kGsoTcp4,
                             .gso_bytes = 1000,
                             .csum_start = kEthernetBytes + 20,
                             .csum_offset = 16};
  const auto segments = tap.admit(frame, header);
  CHECK(segments && segments->segments() == 10);
  tap.mtu_bytes = 1000;
  CHECK(!tap.admit(frame, header));
}

TEST("the MSS of a SYN inside a frame is lowered, and the checksum stays valid") {
  Tap tap;
  tap.mtu_bytes = 1000;
  Packet syn = make_packet({.v6 = true, .flags = 0x02, .tcp_options = 4, .payload = 0});
  const std::uint8_t option[] = {2, 4, 5, 180};
  std::copy_n(option, 4, syn.begin() + 60);
  finish_checksums(syn);
  Packet frame = frame_of(kEtherTypeIpv6, syn);
  CHECK(tap.admit(frame).has_value());
  const Packet inside(frame.begin() + kEthernetBytes, frame.end());
  CHECK(load_be16(&inside[62]) == 940 && checksums_right(inside));
}

}  // namespace
}  // namespace nsm::test
