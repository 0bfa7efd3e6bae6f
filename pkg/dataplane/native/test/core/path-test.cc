// A path on a simulated link: what it believes after loss, silence, holes and stalls.
#include "core/path.h"

#include <map>
#include <tuple>
#include <vector>

#include "check.h"
#include "core/path-allowance.h"

namespace nsm::test {
namespace {

constexpr std::uint32_t kMost = 1420;

// Both ways of a link, and a far side that echoes.
struct Link {
  std::uint64_t one_way_ns = 5 * kNsPerMs;
  std::uint32_t loss_per_thousand = 0;  // each way
  std::uint32_t longest = 9000;         // bytes of a probe that passes
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
  Path path{kMost};
  std::uint64_t now_ns = kNsPerSecond;
  std::multimap<std::uint64_t, PathMessage> echoes;  // by arrival
  std::uint64_t bytes_sent = 0;
  int downs = 0;

  void send(const PathMessage& probe) {
    bytes_sent += probe.bytes;
    if (!link.passes(probe.bytes) || !link.passes(kPathMessageBytes)) return;
    PathMessage echo = probe;
    echo.kind = PathKind::kEcho;
    echoes.emplace(now_ns + 2 * link.one_way_ns, echo);
  }
  std::uint64_t tick() {
    const PathState before = path.state();
    const std::uint64_t due = path.tick(now_ns, [&](const PathMessage& probe) { send(probe); });
    downs += path.state() == PathState::kDown && before != PathState::kDown;
    return due;
  }
  // Runs until the time, or until `stop()`; how long it took.
  template <typename Stop>
  std::uint64_t until(std::uint64_t for_ns, Stop&& stop) {
    const std::uint64_t start_ns = now_ns;
    while (now_ns < start_ns + for_ns && !stop()) {
      std::uint64_t due_ns = tick();
      if (!echoes.empty()) due_ns = std::min(due_ns, echoes.begin()->first);
      now_ns = std::min(std::max(due_ns, now_ns), start_ns + for_ns);
      for (; !echoes.empty() && echoes.begin()->first <= now_ns; echoes.erase(echoes.begin()))
        path.echoed(echoes.begin()->second, now_ns);
    }
    return now_ns - start_ns;
  }
  void pass(std::uint64_t for_ns) {
    until(for_ns, [] { return false; });
  }
};

TEST("a path that answers is up, with its round trip and without loss") {
  Run run;
  CHECK(run.path.state() == PathState::kUnknown);
  run.pass(10 * kNsPerSecond);
  CHECK(run.path.state() == PathState::kUp && run.path.rtt_ns() == 10 * kNsPerMs);
  CHECK(run.path.jitter_ns() < kNsPerMs && run.path.loss_ppm() == 0 && run.path.lost() == 0);
  CHECK(run.path.probes() >= 49 && run.path.probes() <= 52);
  CHECK(run.path.mtu_bytes() == kMost);
}

TEST("a path that dies right after echoes that were ten seconds late is down in the end") {
  Run run;
  run.pass(10 * kNsPerSecond);
  run.link.one_way_ns = 5 * kNsPerSecond;
  run.pass(400 * kNsPerMs);
  run.link.one_way_ns = 5 * kNsPerMs;
  run.pass(10 * kNsPerSecond);
  CHECK(run.path.rtt_ns() > kNsPerSecond);
  run.link.cut = true;
  run.pass(40 * kNsPerSecond);
  CHECK(run.path.state() == PathState::kDown);
}

TEST("a dead path is known within 600 ms, whenever it dies and however long it is, and its return at once") {
  for (const std::uint64_t one_way_ms : {0, 1, 20, 50}) {
    for (std::uint64_t at_ms = 0; at_ms < 400; at_ms += 13) {
      Run run;
      run.link.one_way_ns = one_way_ms * kNsPerMs;
      run.pass((5000 + at_ms) * kNsPerMs);
      run.link.cut = true;
      run.echoes.clear();
      const auto is = [&](PathState state) { return [&run, state] { return run.path.state() == state; }; };
      CHECK(run.until(5 * kNsPerSecond, is(PathState::kDown)) <= 600 * kNsPerMs);
      run.pass(10 * kNsPerSecond);
      run.link.cut = false;
      CHECK(run.until(5 * kNsPerSecond, is(PathState::kUp)) <= (201 + 2 * one_way_ms) * kNsPerMs);
    }
  }
}

TEST("five percent of loss each way for ten hours is never taken for death, and is told") {
  Run run;
  run.link.loss_per_thousand = 50;
  run.pass(36'000 * kNsPerSecond);
  CHECK(run.downs == 0);
  CHECK(run.path.lost() * 1000 > run.path.probes() * 90 && run.path.lost() * 1000 < run.path.probes() * 105);
  CHECK(run.path.loss_ppm() > 20'000 && run.path.loss_ppm() < 220'000);
  CHECK(run.path.mtu_bytes() > kMost - 120);
}

TEST("a hole of any length is found within a second, to 8 bytes, and its end within 11 s") {
  for (std::uint32_t longest = 530; longest < kMost; longest += 37) {
    Run run;
    run.pass(5 * kNsPerSecond);
    run.link.longest = longest;
    const auto found = [&] { return run.path.mtu_bytes() <= longest && run.path.mtu_bytes() + 8 > longest; };
    CHECK(run.until(5 * kNsPerSecond, found) <= 1100 * kNsPerMs);
    run.pass(5 * kNsPerSecond);
    CHECK(found() && run.path.state() == PathState::kUp && run.downs == 0);
    run.link.longest = 9000;
    const auto whole = [&] { return run.path.mtu_bytes() == kMost; };
    CHECK(run.until(20 * kNsPerSecond, whole) <= 11 * kNsPerSecond);
  }
}

TEST("a hole is found on a link that loses packets") {
  for (std::uint64_t seed = 1; seed <= 50; seed++) {
    Run run;
    run.link.loss_per_thousand = 50;
    run.link.seed = seed;
    run.pass(5 * kNsPerSecond);
    run.link.longest = 1240;
    const auto safe = [&] { return run.path.mtu_bytes() <= 1240; };
    CHECK(run.until(5 * kNsPerSecond, safe) <= 3 * kNsPerSecond);
    run.pass(15 * kNsPerSecond);
    CHECK(safe() && run.path.mtu_bytes() > 1100);
  }
}

TEST("a dead path says nothing about lengths") {
  Run run;
  run.pass(kNsPerSecond);
  run.link.cut = true;
  run.pass(60 * kNsPerSecond);
  run.link.cut = false;
  run.pass(kNsPerSecond);
  CHECK(run.path.mtu_bytes() == kMost);
}

TEST("a path that dies after its echoes were seconds late is known to be dead within 7 s") {
  Run run;
  run.pass(2 * kNsPerSecond);
  run.link.one_way_ns = 5 * kNsPerSecond;
  run.pass(20 * kNsPerSecond);
  run.link.cut = true;
  run.echoes.clear();
  const auto is_down = [&] { return run.path.state() == PathState::kDown; };
  CHECK(run.until(60 * kNsPerSecond, is_down) <= 7 * kNsPerSecond);
}

TEST("while nothing can be asked a path that was up is unknown, and one that was down stays down") {
  Run run;
  run.pass(kNsPerSecond);
  run.path.pause();
  CHECK(run.path.state() == PathState::kUnknown);
  run.pass(kNsPerSecond);
  CHECK(run.path.state() == PathState::kUp);
  run.link.cut = true;
  run.pass(5 * kNsPerSecond);
  run.path.pause();
  CHECK(run.path.state() == PathState::kDown);
}

TEST("a wire with longer packets has them believed, and searched for where there is a hole") {
  Run run;
  run.pass(kNsPerSecond);
  run.path.want_mtu(kMost - 100);
  CHECK(run.path.mtu_bytes() == kMost);
  run.path.want_mtu(8000);
  CHECK(run.path.mtu_bytes() == 8000);
  run.link.longest = 5000;
  run.pass(20 * kNsPerSecond);
  run.path.want_mtu(9000);
  CHECK(run.path.mtu_bytes() <= 5000 && run.path.mtu_bytes() + 8 > 5000);
}

TEST("a process that had no turn blames itself, not the path") {
  Run run;
  run.pass(5 * kNsPerSecond);
  run.tick();
  run.now_ns += 30 * kNsPerSecond;
  run.echoes.clear();
  run.pass(5 * kNsPerSecond);
  CHECK(run.downs == 0 && run.path.lost() == 0);
}

TEST("an echo that nobody asked for, a second one, and one with other contents change nothing") {
  Run run;
  run.pass(kNsPerSecond);
  PathMessage last;
  run.path.tick(run.now_ns + 200 * kNsPerMs, [&](const PathMessage& probe) { last = probe; });
  const std::uint64_t rtt_ns = run.path.rtt_ns();
  PathMessage echo = last;
  echo.kind = PathKind::kEcho;
  for (const auto& [sequence, sent_ns, bytes] : {std::tuple{last.sequence + 128, last.sent_ns, last.bytes},
                                                 {last.sequence, last.sent_ns - 1, last.bytes},
                                                 {last.sequence, last.sent_ns, last.bytes + 1}}) {
    run.path.echoed({PathKind::kEcho, sequence, sent_ns, bytes}, last.sent_ns + kNsPerSecond);
  }
  CHECK(run.path.rtt_ns() == rtt_ns);
  run.path.echoed(echo, last.sent_ns + 20 * kNsPerMs);
  const std::uint64_t once_ns = run.path.rtt_ns();
  CHECK(once_ns > rtt_ns);
  run.path.echoed(echo, last.sent_ns + 40 * kNsPerMs);
  CHECK(run.path.rtt_ns() == once_ns);
}

TEST("watching a good path costs 30 kb/s") {
  Run run;
  run.pass(100 * kNsPerSecond);
  CHECK(run.bytes_sent * 8 / 100 < 32'000);
}

TEST("a flood of path messages is heard 1,280 times a second, an honest search always") {
  PathAllowance allowance;
  CHECK(!allowance.any() && !allowance.take(kNsPerSecond));
  allowance.set(true);
  int heard = 0;
  for (std::uint64_t at_ns = 0; at_ns < kNsPerSecond; at_ns += kNsPerMs / 100)
    heard += allowance.take(kNsPerSecond + at_ns);
  CHECK(heard == 1280);
  allowance.set(false);
  CHECK(!allowance.take(9 * kNsPerSecond));
}

TEST("a path message reads as it was written; other plaintexts are none") {
  std::vector<std::uint8_t> bytes(200, 0xee);
  const PathMessage probe{PathKind::kProbe, 77, 1234567890123, 200};
  write_path_message(probe, bytes);
  CHECK(read_path_message(bytes) == probe);
  CHECK(!read_path_message({bytes.data(), 199}));  // not as long as it says
  bytes[6] = 2;
  CHECK(is_path_message(bytes) && !read_path_message(bytes));
  bytes[6] = 1, bytes[7] = 3;
  CHECK(!read_path_message(bytes));
  bytes[0] = 0x45;
  CHECK(!is_path_message(bytes));
}

}  // namespace
}  // namespace nsm::test
