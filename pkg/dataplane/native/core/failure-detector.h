// Decides from probes whether the other node answers, and measures the round trip.
//
//              an echo         8 probes lost in a row, 370 ms since the first
//   unknown ------------> up --------------------------------------------------> down
//      |                   ^---------------------- an echo -----------------------|  ^
//      +---------------------------------------------------------------------------+
//
// While no probe can be sent, "up" becomes "unknown"; "down" stays.
//
// A lost probe is followed by quick ones, so that a link that drops one packet in
// twenty is not taken for a dead one: there, eight losses in a row have a
// probability of 10^-8.
#pragma once

#include <algorithm>

#include "environment.h"
#include "probe-log.h"
#include "verdict.h"

namespace nsm {

class FailureDetector {
 public:
  Verdict verdict() const noexcept { return verdict_; }
  // Smoothed round trip and its mean deviation (RFC 6298 section 2); 0: not known yet.
  std::uint64_t rtt_ns() const noexcept { return rtt_ns_; }
  std::uint64_t jitter_ns() const noexcept { return jitter_ns_; }
  // How long to wait for an echo before its probe counts as lost.
  std::uint64_t timeout_ns() const noexcept {
    if (rtt_ns_ == 0) return kFirstTimeoutNs;
    return std::clamp(rtt_ns_ + 4 * jitter_ns_ + kSlackNs, kMinTimeoutNs, kMaxTimeoutNs);
  }
  // When the latest of the answered probes was sent (CLOCK_BOOTTIME ns); 0: none was answered yet.
  std::uint64_t answered_sent_ns() const noexcept { return answered_sent_ns_; }
  // The latest probe was lost: the next ones follow quickly.
  bool doubtful() const noexcept { return lost_in_a_row_ > 0; }

  void answered(const ProbeMessage& probe, std::uint64_t now_ns) noexcept {
    measure(std::max<std::uint64_t>(now_ns - probe.sent_ns, 1));
    verdict_ = Verdict::kUp;
    if (probe.sent_ns < answered_sent_ns_) return;
    answered_sent_ns_ = probe.sent_ns;
    lost_in_a_row_ = 0;
  }
  void lost(const ProbeMessage& probe) noexcept {
    if (probe.sent_ns <= answered_sent_ns_) return;  // a later probe was answered
    if (lost_in_a_row_++ == 0) doubt_since_ns_ = probe.sent_ns;
  }
  // To be called after lost() for all losses known at `now_ns`.
  void judge(std::uint64_t now_ns) noexcept {
    if (lost_in_a_row_ >= kLostForDown && now_ns - doubt_since_ns_ >= kDownAfterNs) verdict_ = Verdict::kDown;
  }
  void forget_losses() noexcept { lost_in_a_row_ = 0; }
  // No probe can be sent for now.
  void suspend() noexcept {
    if (verdict_ == Verdict::kUp) verdict_ = Verdict::kUnknown;
  }

 private:
  static constexpr std::uint64_t kFirstTimeoutNs = 200 * kNsPerMs;
  static constexpr std::uint64_t kMinTimeoutNs = 50 * kNsPerMs;
  // A few very late echoes must not delay the verdict for long when the link dies afterwards.
  static constexpr std::uint64_t kMaxTimeoutNs = 3 * kNsPerSecond;
  static constexpr std::uint64_t kSlackNs = 10 * kNsPerMs;
  static constexpr int kLostForDown = 8;
  static constexpr std::uint64_t kDownAfterNs = 370 * kNsPerMs;

  void measure(std::uint64_t sample_ns) noexcept {
    if (rtt_ns_ == 0) {
      rtt_ns_ = sample_ns;
      jitter_ns_ = sample_ns / 2;
      return;
    }
    const std::uint64_t deviation = rtt_ns_ > sample_ns ? rtt_ns_ - sample_ns : sample_ns - rtt_ns_;
    jitter_ns_ = (3 * jitter_ns_ + deviation) / 4;
    rtt_ns_ = (7 * rtt_ns_ + sample_ns) / 8;
  }

  Verdict verdict_ = Verdict::kUnknown;
  std::uint64_t rtt_ns_ = 0;
  std::uint64_t jitter_ns_ = 0;
  std::uint64_t answered_sent_ns_ = 0;  // when the latest answered probe was sent
  std::uint64_t doubt_since_ns_ = 0;    // when the first of the losses in a row was sent
  int lost_in_a_row_ = 0;
};

}  // namespace nsm
