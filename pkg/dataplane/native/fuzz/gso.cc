// GSO compared with a naive splitter. A corrupted super-packet is refused or split like any other; a
// well-formed one must not be refused.
#include "core/gso.h"

#include "fuzzed-input.h"
#include "test/core/packets.h"

namespace {

using nsm::VnetHeader;
using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::test::Packet;

struct Handed {  // what was read from a TUN (without an Ethernet header) or a TAP
  VnetHeader header;
  Packet packet;
  std::size_t ip_offset;

  bool tcp() const { return header.gso_type != nsm::kGsoUdpL4; }
  std::size_t headers() const {
    const std::uint8_t* const transport = packet.data() + header.csum_start;
    return header.csum_start + (tcp() ? (transport[12] >> 4) * 4u : 8u);
  }
  std::size_t payload() const { return packet.size() - headers(); }
  std::size_t segments() const {
    return std::max<std::size_t>(1, (payload() + header.gso_bytes - 1) / header.gso_bytes);
  }
};

Handed well_made(FuzzedInput& input) {
  const nsm::test::PacketSpec spec = {.v6 = input.flag(),
                                      .tcp = input.flag(),
                                      .sequence = input.number<std::uint32_t>(),
                                      .flags = input.number<std::uint8_t>(),
                                      .ip_id = input.number<std::uint16_t>(),
                                      .tcp_options = static_cast<std::uint8_t>(input.below(11) * 4),
                                      .payload = input.below(3000),
                                      .fill = input.number<std::uint8_t>()};
  Handed made = {{}, make_packet(spec), input.flag() ? 14u : 0u};
  made.packet.insert(made.packet.begin(), made.ip_offset, 0xee);
  made.header.flags = nsm::kVnetNeedsChecksum;
  made.header.gso_type = !spec.tcp ? nsm::kGsoUdpL4 : spec.v6 ? nsm::kGsoTcp6 : nsm::kGsoTcp4;
  made.header.header_bytes = input.number<std::uint16_t>();
  made.header.gso_bytes = std::max<std::uint16_t>(1, input.number<std::uint16_t>() % 1500);
  made.header.csum_start = static_cast<std::uint16_t>(made.ip_offset + (spec.v6 ? 40 : 20));
  made.header.csum_offset = spec.tcp ? 16 : 6;
  return made;
}

void damage_both(FuzzedInput& input, Handed& handed) {
  Packet header(nsm::kVnetHeaderBytes);
  std::memcpy(header.data(), &handed.header, header.size());
  nsm::fuzz::damage(input, header);
  std::memcpy(static_cast<void*>(&handed.header), header.data(), std::min(header.size(), sizeof(VnetHeader)));
  nsm::fuzz::damage(input, handed.packet);
}

std::uint16_t transport_checksum(const Packet& segment, const Handed& from) {
  const std::uint8_t* const ip = segment.data() + from.ip_offset;
  const bool v4 = ip[0] >> 4 == 4;
  Packet summed(ip + (v4 ? 12 : 8), ip + (v4 ? 20 : 40));
  summed.resize(summed.size() + 8);
  nsm::store_be32(summed.data() + summed.size() - 8,
                  static_cast<std::uint32_t>(segment.size() - from.header.csum_start));
  summed.back() = from.tcp() ? 6 : 17;
  summed.insert(summed.end(), segment.begin() + from.header.csum_start, segment.end());
  return nsm::test::naive_checksum(summed);
}

void store_checksum(std::uint8_t* field, std::uint16_t sum, bool udp) {
  nsm::store_be16(field, sum == 0 && udp ? 0xffff : sum);
}

void write_ip(Packet& segment, std::size_t ip_offset, std::size_t index) {
  std::uint8_t* const ip = segment.data() + ip_offset;
  const auto bytes = static_cast<std::uint16_t>(segment.size() - ip_offset);
  if (ip[0] >> 4 == 6) return nsm::store_be16(ip + 4, bytes - 40);
  nsm::store_be16(ip + 2, bytes);
  nsm::store_be16(ip + 4, static_cast<std::uint16_t>(nsm::load_be16(ip + 4) + index));
  nsm::store_be16(ip + 10, 0);
  nsm::store_be16(ip + 10, nsm::test::naive_checksum(Packet(ip, ip + (ip[0] & 15) * 4)));
}

Packet naive_segment(const Handed& from, std::size_t index) {
  const std::size_t at = from.headers() + index * from.header.gso_bytes;
  const std::size_t payload = std::min<std::size_t>(from.header.gso_bytes, from.packet.size() - at);
  Packet segment(from.packet.data(), from.packet.data() + from.headers());
  segment.insert(segment.end(), from.packet.data() + at, from.packet.data() + at + payload);
  write_ip(segment, from.ip_offset, index);
  std::uint8_t* const transport = segment.data() + from.header.csum_start;
  if (from.tcp()) {
    const auto before = static_cast<std::uint32_t>(at - from.headers());
    nsm::store_be32(transport + 4, nsm::load_be32(transport + 4) + before);
    if (index + 1 < from.segments()) transport[13] &= 0xf6;  // FIN and PSH only on the last segment
    if (index > 0) transport[13] &= 0x7f;                    // CWR only on the first segment
  } else {
    nsm::store_be16(transport + 4, static_cast<std::uint16_t>(8 + payload));
  }
  std::uint8_t* const field = transport + (from.tcp() ? 16 : 6);
  nsm::store_be16(field, 0);
  store_checksum(field, transport_checksum(segment, from), !from.tcp());
  return segment;
}

// The checksum field must lie after the IP header, whose addresses have already been checked.
Packet naive_single(const Handed& from) {
  Packet packet = from.packet;
  if ((from.header.flags & nsm::kVnetNeedsChecksum) == 0) return packet;
  const std::uint8_t first = packet[from.ip_offset];
  require(from.header.csum_start >= from.ip_offset + (first >> 4 == 6 ? 40 : std::max(20, (first & 15) * 4)));
  const Packet summed(packet.begin() + from.header.csum_start, packet.end());
  std::uint8_t* const field = packet.data() + from.header.csum_start + from.header.csum_offset;
  store_checksum(field, nsm::test::naive_checksum(summed), from.header.csum_offset == 6);
  return packet;
}

void check_segments(const Handed& handed, const nsm::GsoPacket& parsed) {
  const bool super = handed.header.gso_type != nsm::kGsoNone;
  require(parsed.segments() == (super ? handed.segments() : 1));
  require(parsed.segments() <= nsm::GsoPacket::kMaxSegments);
  for (std::size_t index = 0; index < parsed.segments(); index++) {
    Packet out(parsed.segment_bytes());  // the exact size, so that AddressSanitizer detects an overrun
    const std::size_t written = parsed.write(index, out);
    require(written <= out.size());
    out.resize(written);
    require(out == (super ? naive_segment(handed, index) : naive_single(handed)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  Handed handed = well_made(input);
  if (handed.segments() <= nsm::GsoPacket::kMaxSegments)
    require(nsm::GsoPacket::parse(handed.header, handed.packet, handed.ip_offset).has_value());
  damage_both(input, handed);
  if (const auto parsed = nsm::GsoPacket::parse(handed.header, handed.packet, handed.ip_offset))
    check_segments(handed, *parsed);
  return 0;
}
