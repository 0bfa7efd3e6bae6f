// The admission of packets from a TUN device by address, length and header.
#include "pipeline/admit-packet.h"

#include "fakes.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

// A wire between 10.0.0.1 and 10.0.0.2, the addresses that make_packet() uses.
struct Tun {
  Tun() {
    rules.local.add({.family = 4, .length = 32, .address = {10, 0, 0, 1}});
    rules.remote.add({.family = 4, .length = 32, .address = {10, 0, 0, 2}});
  }
  std::optional<GsoPacket> admit(Packet& packet, const VnetHeader& header = {}) {
    return admit_packet({header, packet}, {rules, mtu_bytes, source}, counters);
  }
  std::uint64_t at(Tx name) const { return counters.tx.at(name); }

  InnerRules rules;
  std::uint32_t mtu_bytes = 1420;
  FakeSource source;
  Counters counters;
};

Packet written(const GsoPacket& segments, std::size_t index) {
  Packet out(segments.segment_bytes());
  out.resize(segments.write(index, out));
  return out;
}

TEST("a packet between allowed addresses passes unchanged, without trailing padding") {
  Tun tun;
  const Packet packet = make_packet({});
  Packet padded = packet;
  padded.resize(packet.size() + 20);
  const auto segments = tun.admit(padded);
  CHECK(segments && segments->segments() == 1 && written(*segments, 0) == packet);
}

TEST("packets with addresses that are not allowed are counted, by source and destination") {
  Tun tun;
  for (const std::size_t at : {15, 19}) {
    Packet packet = make_packet({});
    packet[at] = 99;
    CHECK(!tun.admit(packet));
  }
  CHECK(tun.at(Tx::inner_source) == 1 && tun.at(Tx::inner_destination) == 1 && tun.source.take().empty());
}

TEST("a packet that is not IP, or contradicts its vnet header, is malformed") {
  Tun tun;
  Packet empty, junk(40, 0xff), packet = make_packet({});
  CHECK(!tun.admit(empty) && !tun.admit(junk));
  CHECK(!tun.admit(packet, {.flags = kVnetNeedsChecksum, .gso_type = kGsoTcp6, .gso_bytes = 500}));
  CHECK(tun.at(Tx::malformed) == 3);
}

TEST("a packet longer than the MTU is counted and answered, and one of exactly the MTU passes") {
  Tun tun;
  Packet packet = make_packet({.payload = 1368});
  tun.mtu_bytes = static_cast<std::uint32_t>(packet.size());
  CHECK(tun.admit(packet).has_value() && tun.source.take().empty());
  tun.mtu_bytes--;
  CHECK(!tun.admit(packet) && tun.at(Tx::oversize) == 1);
  const auto errors = tun.source.take();
  CHECK(errors.size() == 1 && load_be16(&errors.at(0).at(kVnetHeaderBytes + 26)) == tun.mtu_bytes);
}

TEST("a super-packet is judged by the length of its segments") {
  Tun tun;
  const PacketSpec spec = {.payload = 10'000};
  Packet super = make_packet(spec);
  const VnetHeader header = {.flags = kVnetNeedsChecksum,
                             .gso_type = kGsoTcp4,
                             .gso_bytes = 1000,
                             .csum_start = 20,
                             .csum_offset = 16};
  const auto segments = tun.admit(super, header);
  CHECK(segments && segments->segments() == 10 && written(*segments, 0).size() == super.size() - 9000);
  tun.mtu_bytes = 1000;
  CHECK(!tun.admit(super, header) && tun.at(Tx::oversize) == 1);
}

TEST("the MSS of a SYN is lowered to the wire's current MTU") {
  Tun tun;
  tun.mtu_bytes = 1000;
  Packet syn = make_packet({.flags = 0x02, .tcp_options = 4, .payload = 0});
  const std::uint8_t option[] = {2, 4, 5, 180};  // 1460
  std::copy_n(option, 4, syn.begin() + 40);
  finish_checksums(syn);
  const auto segments = tun.admit(syn);
  CHECK(segments && load_be16(&written(*segments, 0).at(42)) == 960 &&
        checksums_right(written(*segments, 0)));
}

}  // namespace
}  // namespace nsm::test
