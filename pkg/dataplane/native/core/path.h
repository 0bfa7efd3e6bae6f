// The way from this node to another, watched from inside the tunnel: is it
// alive, how long do packets take, how many get lost, how long may they be.
//
// A probe leaves every 200 ms, every second one as long as the longest packet
// of a wire. What is doubtful is probed every 40 ms.
#pragma once

#include <algorithm>
#include <cstdint>

#include "path-health.h"
#include "path-mtu.h"
#include "probe-log.h"

namespace nsm {

class Path {
 public:
  // `most_mtu_bytes`: of the wires that go this way.
  explicit Path(std::uint32_t most_mtu_bytes) noexcept : mtu_(most_mtu_bytes) {}

  PathState state() const noexcept { return health_.state(); }
  std::uint32_t mtu_bytes() const noexcept { return mtu_.bytes(); }
  std::uint64_t rtt_ns() const noexcept { return health_.rtt_ns(); }
  std::uint64_t jitter_ns() const noexcept { return health_.jitter_ns(); }
  std::uint32_t loss_ppm() const noexcept { return log_.loss_ppm(); }  // of the last 128 probes
  std::uint64_t probes() const noexcept { return probes_; }
  std::uint64_t lost() const noexcept { return lost_; }
  // Another wire goes this way, with packets that long.
  void want_mtu(std::uint32_t bytes) noexcept { mtu_.want(bytes); }

  void echoed(const PathMessage& echo, std::uint64_t now_ns) noexcept;
  // There is no session to send probes in: a path that was up is one of which nothing is known.
  void pause() noexcept;

  // Calls send(const PathMessage&) for each probe that is due; returns when to call
  // again (CLOCK_BOOTTIME ns).
  template <typename Send>
  std::uint64_t tick(std::uint64_t now_ns, Send&& send) noexcept {
    judge(now_ns);
    const auto search = [&](std::uint32_t bytes) { send(log_.add(bytes, Probe::Purpose::kSearch, now_ns)); };
    const std::uint64_t search_ns = mtu_.tick(now_ns, health_.patience_ns(), search);
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
    due_ns_ = std::min({next_probe_ns(), search_ns, log_.next_judgement(health_.patience_ns())});
    return due_ns_;
  }

 private:
  static constexpr std::uint32_t kShortBytes = 64;
  static constexpr std::uint64_t kIntervalNs = 200 * kNsPerMs;
  static constexpr std::uint64_t kQuickNs = 40 * kNsPerMs;
  // Called that late, this process had no turn: echoes may wait unread.
  static constexpr std::uint64_t kStallNs = 100 * kNsPerMs;

  // Nobody could have noticed the echoes of what is under way.
  void forget() noexcept;
  void judge(std::uint64_t now_ns) noexcept;
  std::uint64_t next_probe_ns() const noexcept {
    const bool quick = state() != PathState::kDown && (health_.doubtful() || mtu_.doubtful());
    return last_ns_ + (quick ? kQuickNs : kIntervalNs);
  }

  ProbeLog log_;
  PathHealth health_;
  PathMtu mtu_;
  std::uint64_t probes_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t last_ns_ = 0;  // when a probe left that was no search
  std::uint64_t due_ns_ = UINT64_MAX;
  bool full_next_ = true;
};

}  // namespace nsm
