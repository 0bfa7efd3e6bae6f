#include "ipv4-fragments.h"

#include <algorithm>

#include "checksum.h"

namespace nsm {
namespace {

constexpr std::size_t kFixedHeaderBytes = 20;
constexpr std::size_t kFragmentAt = 6;  // flags and offset
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kOffset = 0x1fff;  // in units of 8 bytes

constexpr std::uint8_t kEndOfOptions = 0;
constexpr std::uint8_t kNoOperation = 1;
constexpr std::uint8_t kCopied = 0x80;

// Overwrites the options that belong to the first fragment alone. The header keeps its length.
void clear_options(Bytes options) noexcept {
  while (!options.empty() && options[0] != kEndOfOptions) {
    std::size_t bytes = 1;
    if (options[0] != kNoOperation) {
      if (options.size() < 2 || options[1] < 2 || options[1] > options.size())
        return;  // nobody can read the rest
      bytes = options[1];
      if ((options[0] & kCopied) == 0) std::fill_n(options.begin(), bytes, kNoOperation);
    }
    options = options.subspan(bytes);
  }
}

}  // namespace

bool Ipv4Fragments::allows(const InnerIp& inner, ConstBytes ip) noexcept {
  return inner.family == 4 && (load_be16(ip.data() + kFragmentAt) & kDontFragment) == 0;
}

Ipv4Fragments::Ipv4Fragments(ConstBytes packet, std::size_t ip_offset, std::uint32_t mtu_bytes) noexcept
    : packet_(packet),
      ip_(ip_offset),
      header_bytes_((packet[ip_offset] & 0x0fu) * 4u),
      payload_bytes_(load_be16(packet.data() + ip_offset + 2) - header_bytes_),
      step_bytes_((mtu_bytes - header_bytes_) & ~std::size_t{7}) {}

std::size_t Ipv4Fragments::write(std::size_t index, Bytes out) const noexcept {
  const std::size_t headers = ip_ + header_bytes_;
  const std::size_t from = index * step_bytes_;
  const std::size_t payload = std::min(step_bytes_, payload_bytes_ - from);
  std::copy_n(packet_.data(), headers, out.data());
  std::copy_n(packet_.data() + headers + from, payload, out.data() + headers);
  const Bytes ip = out.subspan(ip_, header_bytes_ + payload);
  store_be16(ip.data() + 2, static_cast<std::uint16_t>(ip.size()));
  const std::uint16_t before = load_be16(ip.data() + kFragmentAt);
  const bool is_last = index + 1 == count() && (before & kMoreFragments) == 0;
  const auto offset = static_cast<std::uint16_t>(((before & kOffset) + from / 8) & kOffset);
  store_be16(ip.data() + kFragmentAt, is_last ? offset : static_cast<std::uint16_t>(offset | kMoreFragments));
  if (index > 0) clear_options(ip.subspan(kFixedHeaderBytes, header_bytes_ - kFixedHeaderBytes));
  write_ipv4_checksum(ip, header_bytes_);
  return headers + payload;
}

}  // namespace nsm
