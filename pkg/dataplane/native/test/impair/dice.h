// Random numbers that depend only on the seed, the number of the datagram and the purpose: a run is
// repeatable, and switching one fault on or off changes no decision about another.
#pragma once

#include <cstdint>

namespace nsm::impair {

enum class Throw : std::uint64_t { kDrop = 1, kBurst, kCorrupt, kBit, kDuplicate, kReorder, kDepth, kJitter };

class Dice {
 public:
  explicit Dice(std::uint64_t seed) noexcept : seed_(mix(seed)) {}

  bool chance(std::uint64_t number, Throw what, double percent) const noexcept {
    constexpr double kRange = 18446744073709551616.0;  // 2^64
    return percent > 0 && static_cast<double>(roll(number, what)) < percent / 100 * kRange;
  }
  // A number from 0 to `limit` - 1; `limit` must be at least 1.
  std::uint64_t below(std::uint64_t number, Throw what, std::uint64_t limit) const noexcept {
    return roll(number, what) % limit;
  }

 private:
  std::uint64_t roll(std::uint64_t number, Throw what) const noexcept {
    return mix(mix(seed_ ^ number) ^ static_cast<std::uint64_t>(what));
  }
  // The finalizer of SplitMix64: every bit of the input changes half of the output.
  static std::uint64_t mix(std::uint64_t value) noexcept {
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
  }

  std::uint64_t seed_;
};

}  // namespace nsm::impair
