// What passes between this node and another one, measured inside the tunnel: whether
// the other node answers, round trip, jitter, loss, and how long packets may be.
//
// A probe is sent every 200 ms; every second one is as long as the longest packet of
// a wire. While a loss is in doubt, probes follow every 40 ms.
#pragma once

#include <algorithm>
#include <cstdint>

#include "failure-detector.h"
#include "path-mtu.h"
#include "probe-log.h"

namespace nsm {

class LinkQuality {
 public:
  // `max_mtu_bytes`: the greatest MTU of the wires that share this measurement.
  explicit LinkQuality(std::uint32_t max_mtu_bytes) noexcept : mtu_(max_mtu_bytes) {}

  Verdict verdict() const noexcept { return detector_.verdict(); }
  std::uint32_t mtu_bytes() const noexcept { return mtu_.bytes(); }
  std::uint64_t rtt_ns() const noexcept { return detector_.rtt_ns(); }
  std::uint64_t jitter_ns() const noexcept { return detector_.jitter_ns(); }
  std::uint32_t loss_ppm() const noexcept { return log_.loss_ppm(); }  // of the last 128 probes
  std::uint64_t probes() const noexcept { return probes_; }
  std::uint64_t lost() const noexcept { return lost_; }
  // Another wire shares this measurement; its packets are up to `bytes` long.
  void want_mtu(std::uint32_t bytes) noexcept { mtu_.want(bytes); }

  // When the latest of the answered probes was sent (CLOCK_BOOTTIME ns); 0: none was answered yet.
  std::uint64_t answered_sent_ns() const noexcept { return detector_.answered_sent_ns(); }
  // The latest probe was lost: it may have been the session and not the link.
  bool doubtful() const noexcept { return detector_.doubtful(); }
  // How long to wait for an echo.
  std::uint64_t timeout_ns() const noexcept { return detector_.timeout_ns(); }

  // False: it answers no probe of ours.
  bool echoed(const ProbeMessage& echo, std::uint64_t now_ns) noexcept;
  // There is no session to send probes in.
  void suspend() noexcept;

  // Calls send(const ProbeMessage&) for each probe that is due; returns when to call
  // again (CLOCK_BOOTTIME ns).
  template <typename Send>
  std::uint64_t tick(std::uint64_t now_ns, Send&& send) noexcept {
    judge(now_ns);
    const auto search = [&](std::uint32_t bytes) { send(log_.add(bytes, Probe::Purpose::kSearch, now_ns)); };
    const std::uint64_t search_ns = mtu_.tick(now_ns, detector_.timeout_ns(), search);
    const auto watch = [&](std::uint32_t bytes) {
      send(log_.add(bytes, Probe::Purpose::kWatch, now_ns));
      probes_++;
    };
    if (now_ns >= next_probe_ns()) {
      last_ns_ = now_ns;
      const bool full = !mtu_.searching() && (mtu_.doubtful() || full_next_);
      if (full) watch(mtu_.bytes());
      if (!full || mtu_.doubtful()) watch(kShortBytes);
      full_next_ = !full_next_;
    }
    due_ns_ = std::min({next_probe_ns(), search_ns, log_.next_timeout(detector_.timeout_ns())});
    return due_ns_;
  }

 private:
  static constexpr std::uint32_t kShortBytes = 64;
  static constexpr std::uint64_t kIntervalNs = 200 * kNsPerMs;
  static constexpr std::uint64_t kQuickNs = 40 * kNsPerMs;
  // When tick() comes this late, the process got no CPU time: echoes may still be unread.
  static constexpr std::uint64_t kStallNs = 100 * kNsPerMs;

  // Drops the outstanding probes: this process could not have seen their echoes.
  void forget() noexcept;
  void judge(std::uint64_t now_ns) noexcept;
  std::uint64_t next_probe_ns() const noexcept {
    const bool quick = verdict() != Verdict::kDown && (detector_.doubtful() || mtu_.doubtful());
    return last_ns_ + (quick ? kQuickNs : kIntervalNs);
  }

  ProbeLog log_;
  FailureDetector detector_;
  PathMtu mtu_;
  std::uint64_t probes_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t last_ns_ = 0;  // when the last probe was sent, searches apart
  std::uint64_t due_ns_ = UINT64_MAX;
  bool full_next_ = true;
};

}  // namespace nsm
