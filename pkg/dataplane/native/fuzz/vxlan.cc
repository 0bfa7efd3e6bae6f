// Arbitrary datagrams to an underlay of VXLAN ports: either the frame is delivered unchanged, or the
// reason for the drop is counted; always exactly one of the two, once.
#include "core/vxlan.h"

#include "delivery.h"
#include "fuzzed-input.h"
#include "pipeline/vxlan-ingress.h"

namespace {

using nsm::Rx;
using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;

constexpr std::uint32_t kVni = 0x010203;
constexpr std::uint32_t kMtuBytes = 100;

// The expected reason; Rx::packets: the frame is delivered, if there is a device.
constexpr std::array kReasons = {Rx::packets, Rx::malformed, Rx::unknown_flags, Rx::unknown_vni,
                                 Rx::unknown_remote};

nsm::SocketAddress host(std::uint8_t last) {
  return {.family = 4, .port = 4789, .address = {10, 0, 0, last}};
}

void check_header(std::uint32_t vni) {
  std::array<std::uint8_t, nsm::kVxlanHeaderBytes + nsm::kEthernetBytes> datagram = {};
  nsm::write_vxlan_header(std::span(datagram).first<nsm::kVxlanHeaderBytes>(), vni);
  require(datagram[0] == 8 && datagram[7] == 0);
  const auto header = nsm::read_vxlan_header(datagram);
  require(header && header->is_vxlan() && header->vni == vni);
}

struct Underlay {
  Underlay() {
    port.vni = kVni;
    port.remote = host(1);
    port.mtu_bytes = kMtuBytes;
    table.add(port);
  }

  nsm::Counters engine, counters;
  nsm::test::FakeNotes notes;
  nsm::FlowJoiner joiner;
  nsm::VxlanIngress port{counters};
  nsm::VxlanTable table{{engine, notes, joiner}};
  nsm::test::FakeDevice device{false};  // without USO, so that UDP packets are not joined

  std::array<std::uint64_t, kReasons.size()> counted() const {
    std::array<std::uint64_t, kReasons.size()> counts;
    for (std::size_t i = 0; i < kReasons.size(); i++)
      counts[i] = engine.rx.at(kReasons[i]) + counters.rx.at(kReasons[i]);
    return counts;
  }
};

// If the input says so, preceded by a header with the port's own VNI.
std::vector<std::uint8_t> next_datagram(FuzzedInput& input) {
  std::vector<std::uint8_t> datagram;
  if (input.flag()) {
    datagram = {8, 0, 0, 0, kVni >> 16, kVni >> 8 & 0xff, kVni & 0xff, 0};
    const std::uint8_t changed = input.number<std::uint8_t>();
    datagram[changed % 8] ^= input.number<std::uint8_t>();
  }
  datagram.insert(datagram.end(), input.rest().begin(), input.rest().end());
  return datagram;
}

Rx naive_reason(const std::vector<std::uint8_t>& datagram, const nsm::SocketAddress& from) {
  if (datagram.size() < 8 + 14) return Rx::malformed;
  if (datagram[0] != 8) return Rx::unknown_flags;
  if (datagram[4] != 1 || datagram[5] != 2 || datagram[6] != 3) return Rx::unknown_vni;
  if (!(from == host(1))) return Rx::unknown_remote;
  return datagram.size() > 8 + 18 + kMtuBytes ? Rx::malformed : Rx::packets;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Underlay u;
  FuzzedInput input(data, size);
  check_header(input.number<std::uint32_t>() & nsm::kVniMax);
  const nsm::SocketAddress from = host(input.number<std::uint8_t>() % 4);
  u.port.device = input.flag() ? nullptr : &u.device;
  const auto datagram = next_datagram(input);
  const Rx reason = naive_reason(datagram, from);
  auto expected = u.counted();
  for (std::size_t i = 0; i < kReasons.size(); i++) expected[i] += kReasons[i] == reason ? 1 : 0;

  auto in_place = datagram;
  u.table.take(in_place, {from, 0});
  u.joiner.flush();
  require(u.counted() == expected);

  const auto delivered = nsm::fuzz::delivered(u.device);
  require(delivered.size() == (reason == Rx::packets && u.port.device != nullptr ? 1 : 0));
  if (!delivered.empty()) require(std::ranges::equal(delivered[0], std::span(datagram).subspan(8)));
  return 0;
}
