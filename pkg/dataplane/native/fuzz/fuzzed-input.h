// Shared by all targets: reading values from the fuzzer's bytes, and reporting a broken invariant.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <span>
#include <vector>

namespace nsm::fuzz {

// Aborts the process, which libFuzzer reports as a finding.
inline void require(bool holds, std::source_location at = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: invariant does not hold\n", at.file_name(), at.line());
  std::abort();
}

// Reads values from the bytes in order; after the end all values are zero.
class FuzzedInput {
 public:
  FuzzedInput(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::span<const std::uint8_t> rest() const { return rest_; }

  // The next `count` bytes, or as many as are left.
  std::span<const std::uint8_t> take(std::size_t count) {
    const auto taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  template <typename T>
  T number() {
    T value = 0;
    const auto from = take(sizeof value);
    if (!from.empty()) std::memcpy(&value, from.data(), from.size());
    return value;
  }
  bool flag() { return number<std::uint8_t>() % 2 == 1; }
  std::size_t below(std::size_t limit) { return number<std::uint16_t>() % limit; }

 private:
  std::span<const std::uint8_t> rest_;
};

// Corrupts `bytes` as the input says: up to three bytes and the length, or nothing at all.
inline void damage(FuzzedInput& input, std::vector<std::uint8_t>& bytes) {
  for (int left = input.number<std::uint8_t>() % 4; left > 0 && !bytes.empty(); left--) {
    std::uint8_t& byte = bytes[input.below(bytes.size())];
    byte ^= input.number<std::uint8_t>();
  }
  const std::uint8_t cut = input.number<std::uint8_t>() % 8;
  if (cut == 1) bytes.resize(input.below(bytes.size() + 1));
  if (cut == 2) bytes.resize(bytes.size() + input.number<std::uint8_t>());
}

}  // namespace nsm::fuzz
