// Checks the IP packet inside a wire: its header against its length, and its
// addresses against what the connection assigned, in both directions.
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

// The inner addresses of one side of a wire. Few, so a list is faster than a trie.
class PrefixList {
 public:
  static constexpr std::size_t kMax = 128;
  // False when the list is full or the prefix has no such family or length.
  bool add(const Prefix& prefix);
  bool contains(std::uint8_t family, const std::uint8_t* address) const noexcept;
  std::size_t size() const noexcept { return prefixes_.size(); }
  std::span<const Prefix> entries() const noexcept { return prefixes_; }

 private:
  std::vector<Prefix> prefixes_;
};

// Where the parts of a well-formed packet are.
struct InnerIp {
  std::uint8_t family = 0;         // 4 or 6
  std::uint8_t protocol = 0;       // of the first header behind the fixed IP header
  std::uint32_t header_bytes = 0;  // IPv4 with options; IPv6: 40
  std::uint32_t total_bytes = 0;   // as the header says, at most the packet's size
  bool fragment = false;           // IPv4: any but an unfragmented packet
  const std::uint8_t* source = nullptr;
  const std::uint8_t* destination = nullptr;
};

// Absent when the packet is no IPv4 or IPv6 packet of at most its own size.
// What stands behind total_bytes is padding.
std::optional<InnerIp> parse_inner_ip(ConstBytes packet) noexcept;

enum class InnerVerdict : std::uint8_t { kPass, kSource, kDestination };

// `source` and `destination` are the prefixes that may stand in those fields.
InnerVerdict check_inner(const InnerIp& packet, const PrefixList& source,
                         const PrefixList& destination) noexcept;

}  // namespace nsm
