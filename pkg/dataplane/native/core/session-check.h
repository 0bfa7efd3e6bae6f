// Whether one session to a node still works while others do: the far node may have
// forgotten the wire. A probe is sent in the session; while none is answered, more follow.
//
//            an echo
//   asking -----------> answered
//      |  8 probes without an echo, 370 ms since the first
//      v
//    silent
//
// One session is checked at a time; begin() starts with the next one.
#pragma once

#include <algorithm>

#include "environment.h"
#include "probe-message.h"

namespace nsm {

class SessionCheck {
 public:
  enum class Result : std::uint8_t { kAsking, kAnswered, kSilent };

  Result result() const noexcept { return result_; }
  std::uint64_t begun_ns() const noexcept { return begun_ns_; }

  void begin(std::uint64_t now_ns) noexcept {
    result_ = Result::kAsking;
    begun_ns_ = due_ns_ = now_ns;
    first_ = next_;
  }

  void echoed(const ProbeMessage& echo) noexcept {
    if (is_ours(echo)) result_ = Result::kAnswered;
  }
  // Whether it answers a probe of this check. A probe of the link quality is longer.
  bool is_ours(const ProbeMessage& echo) const noexcept {
    return echo.bytes == kBytes && echo.sequence - first_ < next_ - first_ && echo.sent_ns >= begun_ns_;
  }

  // Calls send(const ProbeMessage&) if one is due; returns when to call again
  // (CLOCK_BOOTTIME ns; UINT64_MAX: the check is over). `timeout_ns`: how long an echo takes at most.
  template <typename Send>
  std::uint64_t tick(std::uint64_t now_ns, std::uint64_t timeout_ns, Send&& send) noexcept {
    if (result_ != Result::kAsking) return UINT64_MAX;
    if (now_ns > due_ns_ + kStallNs) begin(now_ns);  // this process got no CPU time: echoes may be unread
    if (now_ns < due_ns_) return due_ns_;
    if (next_ - first_ >= kSilentAfter && now_ns - begun_ns_ >= kSilentAfterNs) {
      result_ = Result::kSilent;
      return UINT64_MAX;
    }
    send(ProbeMessage{ProbeMessageKind::kProbe, next_++, now_ns, kBytes});
    due_ns_ = now_ns + std::max(timeout_ns, kQuickNs);
    return due_ns_;
  }

 private:
  static constexpr std::uint32_t kBytes = kProbeMessageBytes;
  static constexpr std::uint32_t kSilentAfter = 8;
  static constexpr std::uint64_t kSilentAfterNs = 370 * kNsPerMs;
  static constexpr std::uint64_t kQuickNs = 40 * kNsPerMs;
  static constexpr std::uint64_t kStallNs = 100 * kNsPerMs;

  Result result_ = Result::kAnswered;  // there is nothing to check yet
  std::uint64_t begun_ns_ = 0;
  std::uint64_t due_ns_ = 0;
  std::uint32_t first_ = 0;  // sequence of the first probe of this check
  std::uint32_t next_ = 0;
};

}  // namespace nsm
