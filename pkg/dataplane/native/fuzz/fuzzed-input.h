// What every target shares: reading values from the fuzzer's bytes, and saying that an invariant broke.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

namespace nsm::fuzz {

// Ends the process, which libFuzzer takes for a finding.
inline void require(bool holds) {
  if (!holds) std::abort();
}

// Gives out the bytes in order; past the end, values are zero.
class FuzzedInput {
 public:
  FuzzedInput(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::span<const std::uint8_t> rest() const { return rest_; }

  template <typename T>
  T number() {
    T value = 0;
    const std::size_t count = std::min(sizeof value, rest_.size());
    if (count > 0) std::memcpy(&value, rest_.data(), count);
    rest_ = rest_.subspan(count);
    return value;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace nsm::fuzz
