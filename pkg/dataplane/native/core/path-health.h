// Whether a path passes packets, and how long they take.
//
//              an echo        8 probes lost in a row, 370 ms since the first
//   unknown -----------> up -------------------------------------------------> down
//      |                  ^--------------------- an echo ----------------------|  ^
//      +--------------------------------------------------------------------------+
//
// While no probe can be sent, what was up is unknown; what was down stays down.
//
// A lost probe is followed by quick ones, so that a link that drops one packet
// in twenty is not taken for a dead one: eight lost in a row are one case in
// 10^8 there.
#pragma once

#include <algorithm>

#include "environment.h"
#include "probe-log.h"

namespace nsm {

// Numbered as PathState in protocol.h.
enum class PathState : std::uint8_t { kUnknown = 0, kUp = 1, kDown = 2 };

class PathHealth {
 public:
  PathState state() const noexcept { return state_; }
  // Smoothed round trip and its mean deviation (RFC 6298 section 2); 0: not known.
  std::uint64_t rtt_ns() const noexcept { return rtt_ns_; }
  std::uint64_t jitter_ns() const noexcept { return jitter_ns_; }
  // How long an echo is waited for.
  std::uint64_t patience_ns() const noexcept {
    if (rtt_ns_ == 0) return kFirstPatienceNs;
    return std::clamp(rtt_ns_ + 4 * jitter_ns_ + kSlackNs, kLeastPatienceNs, kMostPatienceNs);
  }
  // The latest probe got lost: more are to follow quickly.
  bool doubtful() const noexcept { return lost_in_a_row_ > 0; }

  void answered(const PathMessage& probe, std::uint64_t now_ns) noexcept {
    measure(std::max<std::uint64_t>(now_ns - probe.sent_ns, 1));
    state_ = PathState::kUp;
    if (probe.sent_ns < answered_sent_ns_) return;
    answered_sent_ns_ = probe.sent_ns;
    lost_in_a_row_ = 0;
  }
  void lost(const PathMessage& probe) noexcept {
    if (probe.sent_ns <= answered_sent_ns_) return;  // what was sent later came back
    if (lost_in_a_row_++ == 0) doubt_since_ns_ = probe.sent_ns;
  }
  // After the losses of this moment.
  void judge(std::uint64_t now_ns) noexcept {
    if (lost_in_a_row_ >= kLostForDown && now_ns - doubt_since_ns_ >= kDownAfterNs) state_ = PathState::kDown;
  }
  void forget_losses() noexcept { lost_in_a_row_ = 0; }
  void lose_sight() noexcept {
    if (state_ == PathState::kUp) state_ = PathState::kUnknown;
  }

 private:
  static constexpr std::uint64_t kFirstPatienceNs = 200 * kNsPerMs;
  static constexpr std::uint64_t kLeastPatienceNs = 50 * kNsPerMs;
  // A few echoes that were very late do not put off for long what follows from silence.
  static constexpr std::uint64_t kMostPatienceNs = 3 * kNsPerSecond;
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

  PathState state_ = PathState::kUnknown;
  std::uint64_t rtt_ns_ = 0;
  std::uint64_t jitter_ns_ = 0;
  std::uint64_t answered_sent_ns_ = 0;  // when the latest answered probe was sent
  std::uint64_t doubt_since_ns_ = 0;    // when the first of the lost was sent
  int lost_in_a_row_ = 0;
};

}  // namespace nsm
