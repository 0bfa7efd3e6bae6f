// The attributes of one message, checked against the table of their names, forms and
// lengths (fields.cc): none unknown, none truncated, none given twice.
#pragma once

#include <array>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <optional>

#include "protocol/message.h"

namespace nsm::protocol {

inline constexpr std::size_t kAttributeCount = 96;  // greater than any number in protocol.h; fields.cc checks

const char* attribute_name(std::uint16_t attribute);

class Fields {
 public:
  // Reads `attributes`. Refuses an attribute outside `allowed` with EOPNOTSUPP and a
  // malformed one with EINVAL. The fields are views into `attributes`.
  Status parse(View attributes, std::initializer_list<std::uint16_t> allowed);
  // The same for messages that are only passed on: any known attribute is allowed.
  Status parse_any(View attributes);
  Status require(std::initializer_list<std::uint16_t> needed) const;

  bool has(std::uint16_t attribute) const { return values_[attribute].data() != nullptr; }
  View bytes(std::uint16_t attribute) const { return values_[attribute]; }
  std::string_view text(std::uint16_t attribute) const { return text_of(values_[attribute]); }
  std::optional<std::uint8_t> u8(std::uint16_t attribute) const { return number<std::uint8_t>(attribute); }
  std::optional<std::uint16_t> u16(std::uint16_t attribute) const { return number<std::uint16_t>(attribute); }
  std::optional<std::uint32_t> u32(std::uint16_t attribute) const { return number<std::uint32_t>(attribute); }
  std::optional<std::uint64_t> u64(std::uint16_t attribute) const { return number<std::uint64_t>(attribute); }

  // Calls `visit` for each value of an attribute that may be repeated, in order.
  void each(std::uint16_t attribute, const std::function<void(View)>& visit) const;

 private:
  template <typename T>
  std::optional<T> number(std::uint16_t attribute) const {
    T value;
    if (values_[attribute].size() != sizeof value) return std::nullopt;
    std::memcpy(&value, values_[attribute].data(), sizeof value);
    return value;
  }

  using Allowed = std::function<bool(std::uint16_t attribute)>;
  Status read(View attributes, const Allowed& allowed);

  View all_;
  std::array<View, kAttributeCount> values_{};
};

}  // namespace nsm::protocol
