// Path MTU discovery with probes that must not be fragmented (as in RFC 8899), so that
// it does not depend on the ICMP errors of routers.
//
//              4 full-size probes lost, shorter ones answered
//   watching -------------------------------------------------> searching
//       ^ |                                                       |  ^ |
//       | +--- 10 s below the wanted MTU: search upwards ---------|->| +-+ next ladder
//       +----------------- known to 8 bytes ----------------------+
//
// A search sends a ladder of lengths at once, each up to three times, and continues with
// a finer ladder between the longest one that was answered and the next.
#pragma once

#include <array>
#include <cstdint>

#include "environment.h"

namespace nsm {

class PathMtu {
 public:
  // `max`: the MTU that the wires want. It is assumed to pass until losses show otherwise.
  explicit PathMtu(std::uint32_t max) noexcept : max_(max), passes_(max) {}

  std::uint32_t bytes() const noexcept { return passes_; }
  bool searching() const noexcept { return searching_; }
  // A full-size probe was lost: more follow quickly, together with short ones.
  bool doubtful() const noexcept { return !searching_ && full_lost_ > 0; }
  // Another wire has packets of this length.
  void want(std::uint32_t bytes) noexcept;

  // A probe of this length was answered, or was lost.
  void answered(std::uint32_t bytes) noexcept;
  void lost(std::uint32_t bytes) noexcept;

  // Calls send(bytes) for each probe of a ladder that is due; returns when to call again
  // (CLOCK_BOOTTIME ns; UINT64_MAX: no need).
  template <typename Send>
  std::uint64_t tick(std::uint64_t now_ns, std::uint64_t timeout_ns, Send&& send) noexcept {
    if (!searching_) consider(now_ns);
    if (searching_ && sends_ == kSends && now_ns >= next_ns_ - kSpacingNs + timeout_ns) conclude(now_ns);
    if (!searching_) return passes_ < max_ ? raise_ns_ : UINT64_MAX;
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
  static constexpr std::uint32_t kMin = 516;  // inner packet; every IPv4 path passes 576 bytes
  static constexpr std::uint64_t kSpacingNs = 30 * kNsPerMs;
  static constexpr std::uint64_t kRaiseNs = 10 * kNsPerSecond;

  void consider(std::uint64_t now_ns) noexcept;
  void search(std::uint32_t low, std::uint32_t high, std::uint64_t now_ns) noexcept;
  void conclude(std::uint64_t now_ns) noexcept;
  void watch(std::uint64_t now_ns) noexcept;

  std::uint32_t max_;
  std::uint32_t passes_;
  // Watching.
  int full_lost_ = 0;         // in a row
  int shorter_answered_ = 0;  // since the first of them
  std::uint64_t raise_ns_ = 0;
  // Searching.
  bool searching_ = false;
  std::array<std::uint32_t, kRungs> ladder_ = {};
  std::uint32_t best_ = 0;  // the longest answered length of this ladder
  int sends_ = 0;
  std::uint64_t next_ns_ = 0;
};

}  // namespace nsm
