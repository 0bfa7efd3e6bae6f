// Link quality on a simulated link: the verdict after loss, silence, an MTU black hole and stalls.
#include "core/link-quality.h"

#include <map>
#include <tuple>
#include <vector>

#include "check.h"

namespace nsm::test {
namespace {

constexpr std::uint32_t kMax = 1420;

// Both directions of a link, and a far side that echoes.
struct Link {
  std::uint64_t one_way_ns = 5 * kNsPerMs;
  std::uint32_t loss_per_thousand = 0;  // each way
  std::uint32_t longest = 9000;         // the longest probe that passes, in bytes
  bool cut = false;
  std::uint64_t seed = 1;

  bool loses() {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % 1000 < loss_per_thousand;
  }
  bool passes(std::uint32_t bytes) { return !loses() && !cut && bytes <= longest; }
};

struct Run {
  Link link;
  LinkQuality quality{kMax};
  std::uint64_t now_ns = kNsPerSecond;
  std::multimap<std::uint64_t, ProbeMessage> echoes;  // by arrival
  std::uint64_t bytes_sent = 0;
  int downs = 0;

  void send(const ProbeMessage& probe) {
    bytes_sent += probe.bytes;
    if (!link.passes(probe.bytes) || !link.passes(kProbeMessageBytes)) return;
    ProbeMessage echo = probe;
    echo.kind = ProbeMessageKind::kEcho;
    echoes.emplace(now_ns + 2 * link.one_way_ns, echo);
  }
  std::uint64_t tick() {
    const Verdict before = quality.verdict();
    const std::uint64_t due = quality.tick(now_ns, [&](const ProbeMessage& probe) { send(probe); });
    downs += quality.verdict() == Verdict::kDown && before != Verdict::kDown;
    return due;
  }
  // Runs for `for_ns`, or until `stop()` holds; returns how long that took.
  template <typename Stop>
  std::uint64_t until(std::uint64_t for_ns, Stop&& stop) {
    const std::uint64_t start_ns = now_ns;
    while (now_ns < start_ns + for_ns && !stop()) {
      std::uint64_t due_ns = tick();
      if (!echoes.empty()) due_ns = std::min(due_ns, echoes.begin()->first);
      now_ns = std::min(std::max(due_ns, now_ns), start_ns + for_ns);
      for (; !echoes.empty() && echoes.begin()->first <= now_ns; echoes.erase(echoes.begin()))
        quality.echoed(echoes.begin()->second, now_ns);
    }
    return now_ns - start_ns;
  }
  void pass(std::uint64_t for_ns) {
    until(for_ns, [] { return false; });
  }
};

TEST("a link that answers is up, with its round trip and without loss") {
  Run run;
  CHECK(run.quality.verdict() == Verdict::kUnknown);
  run.pass(10 * kNsPerSecond);
  CHECK(run.quality.verdict() == Verdict::kUp && run.quality.rtt_ns() == 10 * kNsPerMs);
  CHECK(run.quality.jitter_ns() < kNsPerMs && run.quality.loss_ppm() == 0 && run.quality.lost() == 0);
  CHECK(run.quality.probes() >= 49 && run.quality.probes() <= 52);
  CHECK(run.quality.mtu_bytes() == kMax);
}

TEST("a link that dies right after echoes that were ten seconds late is still found down") {
  Run run;
  run.pass(10 * kNsPerSecond);
  run.link.one_way_ns = 5 * kNsPerSecond;
  run.pass(400 * kNsPerMs);
  run.link.one_way_ns = 5 * kNsPerMs;
  run.pass(10 * kNsPerSecond);
  CHECK(run.quality.rtt_ns() > kNsPerSecond);
  run.link.cut = true;
  run.pass(40 * kNsPerSecond);
  CHECK(run.quality.verdict() == Verdict::kDown);
}

TEST("a dead link is found down within 600 ms at any delay, and up again with the first echo") {
  for (const std::uint64_t one_way_ms : {0, 1, 20, 50}) {
    for (std::uint64_t at_ms = 0; at_ms < 400; at_ms += 13) {
      Run run;
      run.link.one_way_ns = one_way_ms * kNsPerMs;
      run.pass((5000 + at_ms) * kNsPerMs);
      run.link.cut = true;
      run.echoes.clear();
      const auto is = [&](Verdict verdict) {
        return [&run, verdict] { return run.quality.verdict() == verdict; };
      };
      CHECK(run.until(5 * kNsPerSecond, is(Verdict::kDown)) <= 600 * kNsPerMs);
      run.pass(10 * kNsPerSecond);
      run.link.cut = false;
      CHECK(run.until(5 * kNsPerSecond, is(Verdict::kUp)) <= (201 + 2 * one_way_ms) * kNsPerMs);
    }
  }
}

TEST("5 % of loss in each direction for ten hours is measured and never taken for a dead link") {
  Run run;
  run.link.loss_per_thousand = 50;
  run.pass(36'000 * kNsPerSecond);
  CHECK(run.downs == 0);
  CHECK(run.quality.lost() * 1000 > run.quality.probes() * 90 &&
        run.quality.lost() * 1000 < run.quality.probes() * 105);
  CHECK(run.quality.loss_ppm() > 20'000 && run.quality.loss_ppm() < 220'000);
  CHECK(run.quality.mtu_bytes() > kMax - 120);
}

TEST("an MTU black hole is found within 1.1 s, to 8 bytes, and its end within 11 s") {
  for (std::uint32_t longest = 530; longest < kMax; longest += 37) {
    Run run;
    run.pass(5 * kNsPerSecond);
    run.link.longest = longest;
    const auto found = [&] {
      return run.quality.mtu_bytes() <= longest && run.quality.mtu_bytes() + 8 > longest;
    };
    CHECK(run.until(5 * kNsPerSecond, found) <= 1100 * kNsPerMs);
    run.pass(5 * kNsPerSecond);
    CHECK(found() && run.quality.verdict() == Verdict::kUp && run.downs == 0);
    run.link.longest = 9000;
    const auto whole = [&] { return run.quality.mtu_bytes() == kMax; };
    CHECK(run.until(20 * kNsPerSecond, whole) <= 11 * kNsPerSecond);
  }
}

TEST("an MTU black hole is found on a link that loses packets") {
  for (std::uint64_t seed = 1; seed <= 50; seed++) {
    Run run;
    run.link.loss_per_thousand = 50;
    run.link.seed = seed;
    run.pass(5 * kNsPerSecond);
    run.link.longest = 1240;
    const auto safe = [&] { return run.quality.mtu_bytes() <= 1240; };
    CHECK(run.until(5 * kNsPerSecond, safe) <= 3 * kNsPerSecond);
    run.pass(15 * kNsPerSecond);
    CHECK(safe() && run.quality.mtu_bytes() > 1100);
  }
}

TEST("a dead link does not lower the MTU") {
  Run run;
  run.pass(kNsPerSecond);
  run.link.cut = true;
  run.pass(60 * kNsPerSecond);
  run.link.cut = false;
  run.pass(kNsPerSecond);
  CHECK(run.quality.mtu_bytes() == kMax);
}

TEST("a link that dies after its echoes were seconds late is found down within 7 s") {
  Run run;
  run.pass(2 * kNsPerSecond);
  run.link.one_way_ns = 5 * kNsPerSecond;
  run.pass(20 * kNsPerSecond);
  run.link.cut = true;
  run.echoes.clear();
  const auto is_down = [&] { return run.quality.verdict() == Verdict::kDown; };
  CHECK(run.until(60 * kNsPerSecond, is_down) <= 7 * kNsPerSecond);
}

TEST("while no probe can be sent, a link that was up is unknown, and one that was down stays down") {
  Run run;
  run.pass(kNsPerSecond);
  run.quality.suspend();
  CHECK(run.quality.verdict() == Verdict::kUnknown);
  run.pass(kNsPerSecond);
  CHECK(run.quality.verdict() == Verdict::kUp);
  run.link.cut = true;
  run.pass(5 * kNsPerSecond);
  run.quality.suspend();
  CHECK(run.quality.verdict() == Verdict::kDown);
}

TEST("a wire with a greater MTU gets it at once; a search starts if such packets do not pass") {
  Run run;
  run.pass(kNsPerSecond);
  run.quality.want_mtu(kMax - 100);
  CHECK(run.quality.mtu_bytes() == kMax);
  run.quality.want_mtu(8000);
  CHECK(run.quality.mtu_bytes() == 8000);
  run.link.longest = 5000;
  run.pass(20 * kNsPerSecond);
  run.quality.want_mtu(9000);
  CHECK(run.quality.mtu_bytes() <= 5000 && run.quality.mtu_bytes() + 8 > 5000);
}

TEST("a process that got no CPU time counts no probe as lost") {
  Run run;
  run.pass(5 * kNsPerSecond);
  run.tick();
  run.now_ns += 30 * kNsPerSecond;
  run.echoes.clear();
  run.pass(5 * kNsPerSecond);
  CHECK(run.downs == 0 && run.quality.lost() == 0);
}

TEST("an unsolicited, repeated or modified echo changes nothing") {
  Run run;
  run.pass(kNsPerSecond);
  ProbeMessage last;
  run.quality.tick(run.now_ns + 200 * kNsPerMs, [&](const ProbeMessage& probe) { last = probe; });
  const std::uint64_t rtt_ns = run.quality.rtt_ns();
  ProbeMessage echo = last;
  echo.kind = ProbeMessageKind::kEcho;
  for (const auto& [sequence, sent_ns, bytes] : {std::tuple{last.sequence + 128, last.sent_ns, last.bytes},
                                                 {last.sequence, last.sent_ns - 1, last.bytes},
                                                 {last.sequence, last.sent_ns, last.bytes + 1}}) {
    run.quality.echoed({ProbeMessageKind::kEcho, sequence, sent_ns, bytes}, last.sent_ns + kNsPerSecond);
  }
  CHECK(run.quality.rtt_ns() == rtt_ns);
  run.quality.echoed(echo, last.sent_ns + 20 * kNsPerMs);
  const std::uint64_t once_ns = run.quality.rtt_ns();
  CHECK(once_ns > rtt_ns);
  run.quality.echoed(echo, last.sent_ns + 40 * kNsPerMs);
  CHECK(run.quality.rtt_ns() == once_ns);
}

TEST("probing a good link takes 30 kb/s") {
  Run run;
  run.pass(100 * kNsPerSecond);
  CHECK(run.bytes_sent * 8 / 100 < 32'000);
}

}  // namespace
}  // namespace nsm::test
