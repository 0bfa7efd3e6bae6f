// The MSS clamp on SYNs with arbitrary options, flags and corruption: the MSS is lowered exactly if a
// naive parser finds it too great, and nothing else changes.
#include <optional>

#include "core/mss-clamp.h"
#include "fuzzed-input.h"
#include "test/core/packets.h"

namespace {

using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::test::Packet;

Packet next_segment(FuzzedInput& input) {
  const std::uint8_t options = static_cast<std::uint8_t>(input.below(11) * 4);
  Packet packet =
      nsm::test::make_packet({.v6 = input.flag(),
                              .flags = static_cast<std::uint8_t>(input.number<std::uint8_t>() | 2),
                              .tcp_options = options,
                              .payload = input.below(40)});
  const std::size_t at = nsm::test::ip_bytes(packet) + 20;
  std::ranges::copy(input.take(options), packet.begin() + static_cast<std::ptrdiff_t>(at));
  nsm::test::finish_checksums(packet);
  nsm::fuzz::damage(input, packet);
  return packet;
}

// The offset of the first MSS option's value in `options`.
std::optional<std::size_t> find_mss(nsm::ConstBytes options, std::size_t skipped = 0) {
  if (options.size() < 4 || options[0] == 0) return {};
  if (options[0] == 1) return find_mss(options.subspan(1), skipped + 1);
  if (options[0] == 2) return options[1] == 4 ? std::optional(skipped + 2) : std::nullopt;
  if (options[1] < 2 || options[1] > options.size()) return {};
  return find_mss(options.subspan(options[1]), skipped + options[1]);
}

// Its offset in the packet, if this is a SYN.
std::optional<std::size_t> find_mss(const Packet& packet, const nsm::InnerIp& ip) {
  const nsm::ConstBytes tcp = nsm::ConstBytes(packet).subspan(ip.header_bytes);
  if (ip.protocol != 6 || ip.fragment || tcp.size() < 20 || (tcp[13] & 2) == 0) return {};
  const std::size_t header_bytes = (tcp[12] >> 4) * 4u;
  if (header_bytes < 20 || header_bytes > tcp.size()) return {};
  const auto at = find_mss(tcp.subspan(20, header_bytes - 20));
  return at ? std::optional(ip.header_bytes + 20 + *at) : std::nullopt;
}

bool tcp_checksum_right(const Packet& packet) {
  return nsm::test::naive_checksum(nsm::test::summed_part(packet)) == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  const bool complete = input.flag();
  const std::uint32_t mtu_bytes = input.number<std::uint16_t>();
  Packet packet = next_segment(input);
  const auto ip = nsm::parse_inner_ip(packet);
  if (!ip) return 0;
  packet.resize(ip->total_bytes);
  const Packet before = packet;
  nsm::clamp_mss(packet, *nsm::parse_inner_ip(packet), mtu_bytes, complete);

  Packet expected = before;
  const std::uint32_t fixed = ip->family == 4 ? 40 : 60;
  const auto at = find_mss(before, *ip);
  const bool lowered = at && mtu_bytes > fixed && nsm::load_be16(&before[*at]) > mtu_bytes - fixed;
  if (lowered) nsm::store_be16(&expected[*at], static_cast<std::uint16_t>(mtu_bytes - fixed));
  const std::size_t checksum_at = ip->header_bytes + 16;
  if (lowered && complete) {  // a valid checksum stays valid, a wrong one stays wrong
    std::copy_n(&packet[checksum_at], 2, &expected[checksum_at]);
    if (ip->header_bytes == nsm::test::ip_bytes(before))
      require(tcp_checksum_right(packet) == tcp_checksum_right(before));
  }
  require(packet == expected);
  return 0;
}
