// Any datagram to an underlay of VXLAN ports: it is delivered as it is, once, to
// the port of its VNI and sender, or counted once.
#include "core/vxlan.h"

#include "delivery.h"
#include "fuzzed-input.h"
#include "io/vxlan-table.h"

namespace {

using nsm::fuzz::Delivery;
using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::io::Rx;

constexpr std::uint32_t kVni = 0x010203;
constexpr std::uint32_t kMtuBytes = 100;

nsm::Endpoint host(std::uint8_t last) { return {.family = 4, .port = 4789, .address = {10, 0, 0, last}}; }

void check_header(std::uint32_t vni) {
  std::array<std::uint8_t, nsm::kVxlanHeaderBytes + nsm::kEthernetBytes> datagram = {};
  nsm::write_vxlan_header(std::span(datagram).first<nsm::kVxlanHeaderBytes>(), vni);
  require(datagram[0] == 8 && datagram[7] == 0);
  require(nsm::read_vxlan_header(datagram) == vni);
}

struct Underlay {
  Underlay() {
    port.vni = kVni;
    port.remote = host(1);
    port.mtu_bytes = kMtuBytes;
    port.counters = &counters;
    table.add(underlay.number, port);
  }

  nsm::io::Counters engine, counters;
  nsm::io::Doorbell bell;
  nsm::io::Notes notes{bell};
  nsm::io::TunWriter writer;
  nsm::io::IngressUnderlay underlay;
  nsm::io::VxlanIngress port;
  nsm::io::VxlanTable table;
  Delivery delivery;

  std::uint64_t counted() const {
    return engine.rx.at(Rx::malformed) + engine.rx.at(Rx::unknown_remote) +
           nsm::fuzz::sum(counters, {Rx::packets, Rx::malformed, Rx::unknown_remote});
  }
};

// The header of the port's own VNI in front, when the input wants so.
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

bool is_for_port(const std::vector<std::uint8_t>& datagram) {
  if (datagram.size() < 8 + 14 || datagram.size() > 8 + 18 + kMtuBytes) return false;
  return datagram[0] == 8 && datagram[4] == 1 && datagram[5] == 2 && datagram[6] == 3;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Underlay u;
  FuzzedInput input(data, size);
  check_header(input.number<std::uint32_t>() & nsm::kVniMax);
  const nsm::Endpoint from = host(input.number<std::uint8_t>() % 4);
  u.port.device = input.flag() ? nullptr : &u.delivery.device;
  const auto datagram = next_datagram(input);
  const std::uint64_t before = u.counted();

  auto in_place = datagram;
  u.table.deliver(u.underlay, in_place, from, {u.engine, u.notes, u.writer});
  u.writer.flush();
  require(u.counted() == before + 1);

  const auto delivered = u.delivery.take();
  const bool expected = is_for_port(datagram) && from == u.port.remote && u.port.device != nullptr;
  require(delivered.size() == (expected ? 1 : 0));
  if (expected) require(std::ranges::equal(delivered[0], std::span(datagram).subspan(8)));
  return 0;
}
