// The MSS clamp: SYNs on a wire with a small MTU.
#include "core/mss-clamp.h"

#include "check.h"
#include "packets.h"

namespace nsm::test {
namespace {

constexpr std::uint8_t kSyn = 0x02;

// A SYN with an MSS option of 1460, after `noops` no-op options.
Packet syn(bool v6, std::size_t noops) {
  Packet packet = make_packet({.v6 = v6, .flags = kSyn, .payload = 0});
  std::uint8_t* const option = packet.data() + ip_bytes(packet) + 20 + noops;
  option[0] = 2;
  option[1] = 4;
  store_be16(option + 2, 1460);
  finish_checksums(packet);
  return packet;
}

std::uint16_t mss_of(const Packet& packet, std::size_t noops) {
  return load_be16(packet.data() + ip_bytes(packet) + 20 + noops + 2);
}

void clamp(Packet& packet, std::uint32_t mtu, bool complete = true) {
  clamp_mss(packet, *parse_inner_ip(packet), mtu, complete);
}

TEST("the MSS of a SYN is lowered to what the wire's MTU allows, and the checksum stays valid") {
  for (const bool v6 : {false, true}) {
    for (const std::size_t noops : {0, 1, 2, 3}) {
      Packet packet = syn(v6, noops);
      clamp(packet, 1280);
      CHECK(mss_of(packet, noops) == (v6 ? 1220 : 1240));
      CHECK(checksums_right(packet));
    }
  }
}

TEST("an MSS that is low enough is left alone") {
  Packet packet = syn(false, 0);
  const Packet before = packet;
  clamp(packet, 1500);
  CHECK(packet == before);
}

TEST("a checksum that is still to be completed (offloaded) is left alone") {
  Packet packet = syn(false, 0);
  const Packet before = packet;
  clamp(packet, 1280, false);
  CHECK(load_be16(packet.data() + 36) == load_be16(before.data() + 36));
  CHECK(mss_of(packet, 0) == 1240);
}

TEST("packets without SYN or TCP, fragments, and malformed options are left alone") {
  const auto untouched = [](Packet packet) {
    const Packet before = packet;
    clamp(packet, 600);
    return packet == before;
  };
  Packet ack = syn(false, 0);
  ack[20 + 13] = 0x10;
  CHECK(untouched(ack));
  Packet fragment = syn(false, 0);
  fragment[6] = 0x20;
  CHECK(untouched(fragment));
  CHECK(untouched(make_packet({.tcp = false, .payload = 40})));
  for (const std::uint8_t length : {0, 1, 3, 5, 255}) {
    Packet odd = syn(false, 0);
    odd[20 + 21] = length;
    CHECK(untouched(odd));
    odd[20 + 20] = 8;  // an option that is skipped
    CHECK(untouched(odd));
  }
  Packet ended = syn(false, 4);
  ended[20 + 20] = 0;
  CHECK(untouched(ended));
  Packet short_header = syn(false, 0);
  short_header[20 + 12] = 0x40;
  CHECK(untouched(short_header));
  Packet long_header = syn(false, 0);
  long_header[20 + 12] = 0xf0;
  CHECK(untouched(long_header));
}

}  // namespace
}  // namespace nsm::test
