// Checks the IP packets inside a wire, in both directions: the header against the
// length, and the addresses against those that the connection assigned.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bytes.h"

namespace nsm {

struct Prefix {
  std::uint8_t family = 0;  // 4 or 6
  std::uint8_t length = 0;  // 0..32 or 0..128
  std::array<std::uint8_t, 16> address = {};
  bool contains(const std::uint8_t* other) const noexcept;  // of the same family
};

// The inner addresses of one side of a wire. There are few, so a list is faster than a trie.
class PrefixList {
 public:
  static constexpr std::size_t kMax = 128;
  // False: the list is full, or the prefix has an invalid family or length.
  bool add(const Prefix& prefix);
  bool contains(std::uint8_t family, const std::uint8_t* address) const noexcept;
  std::size_t size() const noexcept { return prefixes_.size(); }
  std::span<const Prefix> entries() const noexcept { return prefixes_; }

 private:
  std::vector<Prefix> prefixes_;
};

// The parts of a well-formed IP packet.
struct InnerIp {
  std::uint8_t family = 0;         // 4 or 6
  std::uint8_t protocol = 0;       // of the header that follows the (fixed) IP header
  std::uint32_t header_bytes = 0;  // IPv4: with options; IPv6: 40
  std::uint32_t total_bytes = 0;   // as stated in the header; at most the packet's size
  bool fragment = false;           // IPv4: the packet is a fragment
  const std::uint8_t* source = nullptr;
  const std::uint8_t* destination = nullptr;
};

// Absent: not an IPv4 or IPv6 packet, or its header states more bytes than there are.
// Bytes behind total_bytes are padding.
std::optional<InnerIp> parse_inner_ip(ConstBytes packet) noexcept;

enum class InnerVerdict : std::uint8_t { kPass, kSource, kDestination };

// `source` and `destination`: the prefixes that these addresses have to be in.
InnerVerdict check_inner(const InnerIp& packet, const PrefixList& source,
                         const PrefixList& destination) noexcept;

}  // namespace nsm
