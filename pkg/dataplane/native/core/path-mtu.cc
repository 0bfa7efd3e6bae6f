#include "path-mtu.h"

#include <algorithm>

namespace nsm {

void PathMtu::want(std::uint32_t bytes) noexcept {
  if (bytes <= max_) return;
  if (passes_ == max_) passes_ = bytes;
  max_ = bytes;
}

void PathMtu::answered(std::uint32_t bytes) noexcept {
  if (searching_) {
    if (std::find(ladder_.begin(), ladder_.end(), bytes) != ladder_.end()) best_ = std::max(best_, bytes);
  } else if (bytes >= passes_) {
    full_lost_ = 0;
  } else if (full_lost_ > 0) {
    shorter_answered_++;
  }
}

void PathMtu::lost(std::uint32_t bytes) noexcept {
  if (searching_ || bytes < passes_) return;
  if (full_lost_++ == 0) shorter_answered_ = 0;
}

void PathMtu::consider(std::uint64_t now_ns) noexcept {
  const bool hole = full_lost_ >= kLostForSearch && shorter_answered_ >= kShorterForSearch;
  if (hole && passes_ > kMin) {
    search(kMin, passes_, now_ns);
  } else if (passes_ < max_ && now_ns >= raise_ns_) {
    search(passes_, max_, now_ns);
  }
}

void PathMtu::search(std::uint32_t low, std::uint32_t high, std::uint64_t now_ns) noexcept {
  searching_ = true;
  for (std::uint32_t i = 0; i < kRungs; i++) ladder_[i] = low + (high - low) * i / (kRungs - 1);
  best_ = 0;
  sends_ = 0;
  next_ns_ = now_ns;
}

void PathMtu::conclude(std::uint64_t now_ns) noexcept {
  if (best_ == 0) return watch(now_ns);  // nothing passes at all right now: that says nothing about lengths
  passes_ = best_;
  const auto* const above = std::upper_bound(ladder_.begin(), ladder_.end(), best_);
  if (above == ladder_.end() || *above - best_ <= kPrecision) return watch(now_ns);
  search(best_, *above, now_ns);
}

void PathMtu::watch(std::uint64_t now_ns) noexcept {
  searching_ = false;
  full_lost_ = 0;
  raise_ns_ = now_ns + kRaiseNs;
}

}  // namespace nsm
