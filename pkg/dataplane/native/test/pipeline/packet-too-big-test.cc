// The ICMP errors for packets that are too long.
#include "pipeline/packet-too-big.h"

#include "core/ethernet.h"
#include "test/core/check.h"
#include "test/core/packets.h"

namespace nsm::test {
namespace {

// The answer without its vnet header; empty if there is none.
Packet answer_to(const Packet& packet, std::uint32_t mtu_bytes) {
  PacketTooBig answer;
  if (!answer.make(*parse_inner_ip(packet), packet, mtu_bytes)) return {};
  const ConstBytes bytes = answer.bytes();
  CHECK(std::all_of(bytes.begin(), bytes.begin() + kVnetHeaderBytes, [](auto byte) { return byte == 0; }));
  return {bytes.begin() + kVnetHeaderBytes, bytes.end()};
}

std::uint16_t icmpv6_checksum(const Packet& ip) {
  Packet summed(ip.begin() + 8, ip.begin() + 40);
  const std::uint8_t tail[8] = {0, 0, ip[4], ip[5], 0, 0, 0, 58};
  summed.insert(summed.end(), tail, tail + 8);
  summed.insert(summed.end(), ip.begin() + 40, ip.end());
  return naive_checksum(summed);
}

TEST("an IPv4 packet is answered with fragmentation needed from its destination, quoting 548 bytes") {
  const Packet packet = make_packet({.payload = 2000});
  const Packet answer = answer_to(packet, 1400);
  CHECK(answer.size() == 576 && load_be16(&answer[2]) == 576 && answer[9] == 1);
  CHECK(std::equal(&answer[12], &answer[16], &packet[16]) &&
        std::equal(&answer[16], &answer[20], &packet[12]));
  CHECK(answer[20] == 3 && answer[21] == 4 && load_be16(&answer[26]) == 1400);
  CHECK(std::equal(answer.begin() + 28, answer.end(), packet.begin()));
  CHECK(naive_checksum(Packet(answer.begin(), answer.begin() + 20)) == 0);
  CHECK(naive_checksum(Packet(answer.begin() + 20, answer.end())) == 0);
}

TEST("an IPv6 packet is answered with packet too big, of at most 1280 bytes") {
  const Packet packet = make_packet({.v6 = true, .payload = 2000});
  const Packet answer = answer_to(packet, 1400);
  CHECK(answer.size() == 1280 && load_be16(&answer[4]) == 1240 && answer[6] == 58);
  CHECK(std::equal(&answer[8], &answer[24], &packet[24]) && std::equal(&answer[24], &answer[40], &packet[8]));
  CHECK(answer[40] == 2 && answer[41] == 0 && load_be32(&answer[44]) == 1400);
  CHECK(std::equal(answer.begin() + 48, answer.end(), packet.begin()));
  CHECK(icmpv6_checksum(answer) == 0);
}

TEST("a short packet is quoted completely") {
  const Packet packet = make_packet({.payload = 100});
  CHECK(answer_to(packet, 68).size() == 28 + packet.size());
}

TEST("the first fragment is answered, later ones are not") {
  Packet packet = make_packet({.payload = 2000});
  packet[6] = 0x20;  // more fragments
  CHECK(!answer_to(packet, 1400).empty());
  packet[7] = 1;  // a non-zero fragment offset
  CHECK(answer_to(packet, 1400).empty());
}

TEST("an ICMP error is not answered, an echo request is") {
  for (const bool v6 : {false, true}) {
    Packet packet = make_packet({.v6 = v6, .tcp = false, .payload = 2000});
    packet[v6 ? 6 : 9] = v6 ? 58 : 1;
    const auto answered = [&](std::uint8_t type) {
      packet[ip_bytes(packet)] = type;
      return !answer_to(packet, 1400).empty();
    };
    CHECK(v6 ? answered(128) && answered(129) : answered(8) && answered(0));
    CHECK(v6 ? !answered(1) && !answered(2) : !answered(3) && !answered(11));
  }
}

TEST("the answer to a frame has its MAC addresses swapped") {
  const Packet packet = make_packet({.payload = 2000});
  Packet frame = {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0x08, 0};
  frame.insert(frame.end(), packet.begin(), packet.end());
  PacketTooBig answer;
  CHECK(answer.make(*parse_inner_ip(packet), packet, 1400));
  answer.put_into_frame(frame);
  const Packet made(answer.bytes().begin() + kVnetHeaderBytes, answer.bytes().end());
  CHECK(made.size() == kEthernetBytes + 576 && parse_ethernet_ip(made).has_value());
  CHECK(Packet(made.begin(), made.begin() + 12) == Packet({2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1}));
}

}  // namespace
}  // namespace nsm::test
