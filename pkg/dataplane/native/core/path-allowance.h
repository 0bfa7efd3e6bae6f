// How many path messages of a peer are heard: all that an honest one sends,
// searches included, and no more than the control thread has time for.
#pragma once

#include "environment.h"

namespace nsm {

// Owner: the ingress thread.
class PathAllowance {
 public:
  // Who has not agreed on path messages may send none.
  void set(bool agreed) noexcept { most_ = agreed ? kMost : 0; }
  bool any() const noexcept { return most_ > 0; }
  bool take(std::uint64_t now_ns) noexcept {
    if (now_ns - since_ns_ >= kPeriodNs) {
      since_ns_ = now_ns;
      taken_ = 0;
    }
    if (taken_ >= most_) return false;
    taken_++;
    return true;
  }

 private:
  static constexpr std::uint64_t kPeriodNs = 100 * kNsPerMs;
  static constexpr std::uint32_t kMost = 128;
  std::uint64_t since_ns_ = 0;
  std::uint32_t taken_ = 0;
  std::uint32_t most_ = 0;
};

}  // namespace nsm
