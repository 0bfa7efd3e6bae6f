// How many probe messages of a peer are accepted: all that an honest one sends, MTU
// searches included, and no more than the control thread has time for.
#pragma once

#include "environment.h"

namespace nsm {

// Owner: the ingress thread.
class ProbeRateLimit {
 public:
  // A peer that has not agreed to probe messages may send none.
  void set(bool agreed) noexcept { max_ = agreed ? kMax : 0; }
  bool any() const noexcept { return max_ > 0; }
  // Whether one more is accepted now.
  bool take(std::uint64_t now_ns) noexcept {
    if (now_ns - since_ns_ >= kPeriodNs) {
      since_ns_ = now_ns;
      taken_ = 0;
    }
    if (taken_ >= max_) return false;
    taken_++;
    return true;
  }

 private:
  static constexpr std::uint64_t kPeriodNs = 100 * kNsPerMs;
  static constexpr std::uint32_t kMax = 128;
  std::uint64_t since_ns_ = 0;
  std::uint32_t taken_ = 0;
  std::uint32_t max_ = 0;
};

}  // namespace nsm
