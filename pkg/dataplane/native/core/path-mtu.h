// How long a packet a path passes, found with probes that may not be fragmented
// (as RFC 8899 does), so that it needs no ICMP of any router.
//
//              4 full-size probes lost, shorter ones came back
//   watching -------------------------------------------------> searching
//       ^ ^                                                       |  | |
//       | +-------------- precise to 8 bytes ---------------------+  +-+ narrower
//       |                                                               ladder
//       +-- 10 s at less than is wanted: search above
//
// A search sends a ladder of lengths at once, each up to three times, and goes
// on between the longest that came back and the next.
#pragma once

#include <array>
#include <cstdint>

#include "environment.h"

namespace nsm {

class PathMtu {
 public:
  // `most`: what the wires would like, in bytes of an inner packet. Believed until a loss shows otherwise.
  explicit PathMtu(std::uint32_t most) noexcept : most_(most), passes_(most) {}

  std::uint32_t bytes() const noexcept { return passes_; }
  bool searching() const noexcept { return searching_; }
  // A full-size probe got lost: more are to follow quickly, along with short ones.
  bool doubtful() const noexcept { return !searching_ && full_lost_ > 0; }
  // Another wire has packets that long.
  void want(std::uint32_t bytes) noexcept;

  // A probe of that length came back, or did not.
  void answered(std::uint32_t bytes) noexcept;
  void lost(std::uint32_t bytes) noexcept;

  // Calls send(bytes) for each probe of a ladder that is due; returns when to
  // call again (CLOCK_BOOTTIME ns; UINT64_MAX: no need).
  template <typename Send>
  std::uint64_t tick(std::uint64_t now_ns, std::uint64_t timeout_ns, Send&& send) noexcept {
    if (!searching_) consider(now_ns);
    if (searching_ && sends_ == kSends && now_ns >= next_ns_ - kSpacingNs + timeout_ns) conclude(now_ns);
    if (!searching_) return passes_ < most_ ? raise_ns_ : UINT64_MAX;
    if (sends_ < kSends && now_ns >= next_ns_) {
      for (std::size_t i = 0; i < kRungs; i++)
        if (ladder_[i] > best_ && (i == 0 || ladder_[i] != ladder_[i - 1])) send(ladder_[i]);
      sends_++;
      next_ns_ = now_ns + kSpacingNs;
    }
    return sends_ < kSends ? next_ns_ : next_ns_ - kSpacingNs + timeout_ns;
  }

 private:
  static constexpr std::size_t kRungs = 12;
  static constexpr int kSends = 3;
  static constexpr int kLostForSearch = 4;
  static constexpr int kShorterForSearch = 2;
  static constexpr std::uint32_t kPrecision = 8;
  static constexpr std::uint32_t kLeast = 516;  // inner, of the 576 that every IPv4 path passes
  static constexpr std::uint64_t kSpacingNs = 30 * kNsPerMs;
  static constexpr std::uint64_t kRaiseNs = 10 * kNsPerSecond;

  void consider(std::uint64_t now_ns) noexcept;
  void search(std::uint32_t low, std::uint32_t high, std::uint64_t now_ns) noexcept;
  void conclude(std::uint64_t now_ns) noexcept;
  void watch(std::uint64_t now_ns) noexcept;

  std::uint32_t most_;
  std::uint32_t passes_;
  // Watching.
  int full_lost_ = 0;         // in a row
  int shorter_answered_ = 0;  // since the first of them
  std::uint64_t raise_ns_ = 0;
  // Searching.
  bool searching_ = false;
  std::array<std::uint32_t, kRungs> ladder_ = {};
  std::uint32_t best_ = 0;  // of this ladder
  int sends_ = 0;
  std::uint64_t next_ns_ = 0;
};

}  // namespace nsm
