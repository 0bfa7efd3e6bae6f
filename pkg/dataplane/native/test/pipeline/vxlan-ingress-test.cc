// Finding the port of a VXLAN datagram, and the reasons for a drop.
#include "pipeline/vxlan-ingress.h"

#include "core/vxlan.h"
#include "fakes.h"
#include "test/core/check.h"
#include "test/core/seeded-random.h"

namespace nsm::test {
namespace {

constexpr std::uint32_t kVni = 0x010203;
const SocketAddress kRemote = address4(0xc0000201, 4789);

struct Underlay {
  Underlay() {
    port.vni = kVni;
    port.remote = kRemote;
    port.mtu_bytes = 1450;
    port.device = &device;
    table.add(port);
  }
  // What is delivered of a datagram with these bytes after the VXLAN header.
  std::vector<FakeDevice::Written> take(const Packet& frame, std::uint32_t vni = kVni,
                                        const SocketAddress& from = kRemote) {
    Packet datagram(kVxlanHeaderBytes);
    write_vxlan_header(std::span<std::uint8_t, kVxlanHeaderBytes>(datagram), vni);
    datagram[0] = flags;
    datagram.insert(datagram.end(), frame.begin(), frame.end());
    table.take(datagram, {from, 0});
    table.flush(0);
    joiner.flush();
    return device.take();
  }

  Counters engine, counters;
  FakeNotes notes;
  FlowJoiner joiner;
  FakeDevice device;
  VxlanIngress port{counters};
  VxlanTable table{{engine, notes, joiner}};
  std::uint8_t flags = kVxlanFlagVni;
};

TEST("a frame from the remote is delivered by VNI, whatever its source port") {
  Underlay u;
  const Packet frame(60, 0xab);
  CHECK(u.take(frame).at(0).bytes == frame);
  CHECK(u.take(frame, kVni, address4(0xc0000201, 5555)).size() == 1);
  CHECK(u.counters.rx.at(Rx::packets) == 2 && u.counters.rx.at(Rx::bytes) == 2 * 68);
}

TEST("a frame from another host, or with another VNI or protocol, is counted by reason") {
  Underlay u;
  const Packet frame(60, 0xab);
  CHECK(u.take(frame, kVni, address4(0xc0000202, 4789)).empty());
  CHECK(u.counters.rx.at(Rx::unknown_remote) == 1);
  CHECK(u.take(frame, kVni + 1).empty() && u.engine.rx.at(Rx::unknown_vni) == 1);
  u.flags = kVxlanFlagVni | 0x80;
  CHECK(u.take(frame).empty() && u.engine.rx.at(Rx::unknown_flags) == 1);
}

TEST("a datagram without a complete Ethernet header, or with too long a payload, is malformed") {
  Underlay u;
  CHECK(u.take(Packet(13)).empty() && u.engine.rx.at(Rx::malformed) == 1);
  CHECK(u.take(Packet(1450 + 18, 0xab)).size() == 1 && u.take(Packet(1450 + 19, 0xab)).empty());
  CHECK(u.counters.rx.at(Rx::malformed) == 1);
}

TEST("a port without a cross-connect counts what it drops") {
  Underlay u;
  u.port.device = nullptr;
  CHECK(u.take(Packet(60, 0xab)).empty() && u.counters.rx.at(Rx::no_wire) == 1);
}

TEST("the VNI of a removed port is unknown") {
  Underlay u;
  u.table.remove(u.port);
  CHECK(u.take(Packet(60, 0xab)).empty() && u.engine.rx.at(Rx::unknown_vni) == 1);
}

}  // namespace
}  // namespace nsm::test
