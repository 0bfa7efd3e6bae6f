// What a wireguard port delivers of a decrypted plaintext.
#include "core/ethernet.h"
#include "core/framed.h"
#include "fakes.h"
#include "pipeline/wireguard-ingress.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

// The far side has 10.0.0.1 and this side 10.0.0.2, as in make_packet().
struct Port {
  explicit Port(Payload payload = Payload::kIp) {
    port.device = &device;
    port.path_mtu = &path_mtu;
    port.rules = std::make_unique<InnerRules>();
    port.rules->payload = payload;
    port.rules->mtu_bytes = 1420;
    port.rules->remote.add({.family = 4, .length = 32, .address = {10, 0, 0, 1}});
    port.rules->local.add({.family = 4, .length = 32, .address = {10, 0, 0, 2}});
  }
  std::vector<FakeDevice::Written> deliver(Packet plaintext) {
    port.deliver(plaintext, joiner);
    joiner.flush();
    return device.take();
  }
  std::uint64_t at(Rx name) const { return counters.rx.at(name); }

  Counters counters;
  FlowJoiner joiner;
  FakeDevice device;
  std::atomic<std::uint32_t> path_mtu{65535};
  WireguardIngress port{counters};
};

Packet framed(Packet frame, std::size_t padding = 0) {
  Packet plaintext(kFrameLengthBytes);
  write_frame_length(std::span<std::uint8_t, kFrameLengthBytes>(plaintext), frame.size());
  plaintext.insert(plaintext.end(), frame.begin(), frame.end());
  plaintext.resize(plaintext.size() + padding);
  return plaintext;
}

TEST("a packet between allowed addresses is delivered without its padding") {
  Port p;
  const Packet packet = make_packet({.payload = 101});
  Packet padded = packet;
  padded.resize(packet.size() + 7);
  CHECK(p.deliver(padded).at(0).bytes == packet);
}

TEST("a packet from or to an address that is not allowed is counted and dropped") {
  Port p;
  for (const std::size_t at : {15, 19}) {
    Packet packet = make_packet({});
    packet[at] = 99;
    CHECK(p.deliver(packet).empty());
  }
  CHECK(p.at(Rx::inner_source) == 1 && p.at(Rx::inner_destination) == 1);
}

TEST("a plaintext that is not an IP packet, or not a frame, is malformed") {
  Port ip, ethernet(Payload::kEthernet);
  CHECK(ip.deliver(Packet(40, 0xff)).empty() && ip.at(Rx::malformed) == 1);
  CHECK(ethernet.deliver(Packet(40, 0)).empty() && ethernet.at(Rx::malformed) == 1);
}

TEST("without a cross-connect both payloads are counted and dropped") {
  Port ip, ethernet(Payload::kEthernet);
  ip.port.device = ethernet.port.device = nullptr;
  CHECK(ip.deliver(make_packet({})).empty() && ip.at(Rx::no_wire) == 1);
  CHECK(ethernet.deliver(framed(Packet(60, 2))).empty() && ethernet.at(Rx::no_wire) == 1);
}

TEST("a frame is delivered unchanged, up to the MTU plus a VLAN tag") {
  Port p(Payload::kEthernet);
  const Packet longest(1420 + 18, 2);
  CHECK(p.deliver(framed(longest, 9)).at(0).bytes == longest);
  CHECK(p.deliver(framed(Packet(1420 + 19, 2))).empty() && p.at(Rx::malformed) == 1);
}

TEST("the MSS of a SYN is lowered to the current path MTU, in packets and in frames") {
  Packet syn = make_packet({.flags = 0x02, .tcp_options = 4, .payload = 0});
  const std::uint8_t option[] = {2, 4, 5, 180};
  std::copy_n(option, 4, syn.begin() + 40);
  finish_checksums(syn);
  Port ip;
  ip.path_mtu = 1000;
  const Packet delivered = ip.deliver(syn).at(0).bytes;
  CHECK(load_be16(&delivered[42]) == 960 && checksums_right(delivered));

  Packet frame(kEthernetBytes, 2);
  store_be16(frame.data() + kEtherTypeAt, kEtherTypeIpv4);
  frame.insert(frame.end(), syn.begin(), syn.end());
  Port ethernet(Payload::kEthernet);
  ethernet.path_mtu = 1000 + framing_bytes(*ethernet.port.rules);
  CHECK(load_be16(&ethernet.deliver(framed(frame)).at(0).bytes[kEthernetBytes + 42]) == 960);
}

}  // namespace
}  // namespace nsm::test
