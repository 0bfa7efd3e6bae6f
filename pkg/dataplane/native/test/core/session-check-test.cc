// The check of one session: an echo ends it, silence is told from loss and from a stalled process.
#include "core/session-check.h"

#include <vector>

#include "check.h"

namespace nsm::test {
namespace {

constexpr std::uint64_t kTimeoutNs = 50 * kNsPerMs;

struct Run {
  SessionCheck check;
  std::uint64_t now_ns = kNsPerSecond;
  std::vector<ProbeMessage> sent;

  Run() { check.begin(now_ns); }
  std::uint64_t tick() {
    return check.tick(now_ns, kTimeoutNs, [&](const ProbeMessage& probe) { sent.push_back(probe); });
  }
  // Without an echo, until the check is over or `probes` have been sent.
  void run(std::size_t probes = 100) {
    for (std::uint64_t due_ns; sent.size() < probes && (due_ns = tick()) != UINT64_MAX;)
      if (sent.size() < probes) now_ns = due_ns;
  }
  static ProbeMessage echo_of(ProbeMessage probe) {
    probe.kind = ProbeMessageKind::kEcho;
    return probe;
  }
};

TEST("a session that answers nothing is silent within half a second") {
  Run run;
  run.run();
  CHECK(run.check.result() == SessionCheck::Result::kSilent && run.sent.size() == 8);
  CHECK(run.now_ns - run.check.begun_ns() >= 370 * kNsPerMs &&
        run.now_ns - run.check.begun_ns() <= 500 * kNsPerMs);
}

TEST("an echo of any of its probes ends the check") {
  for (std::size_t probes = 1; probes <= 8; probes++) {
    Run run;
    run.run(probes);
    run.check.echoed(Run::echo_of(run.sent.front()));
    CHECK(run.check.result() == SessionCheck::Result::kAnswered && run.tick() == UINT64_MAX);
  }
}

TEST("an echo of another check, or of no probe, changes nothing") {
  Run run;
  run.run(3);
  const ProbeMessage old = run.sent.front();
  run.now_ns += kNsPerMs;
  run.check.begin(run.now_ns);
  run.tick();
  ProbeMessage longer = run.sent.back(), later = run.sent.back();
  longer.bytes++;
  later.sequence++;
  for (const ProbeMessage& echo : {old, longer, later}) run.check.echoed(Run::echo_of(echo));
  CHECK(run.check.result() == SessionCheck::Result::kAsking);
}

TEST("a process that got no CPU time begins again") {
  Run run;
  run.run(8);
  run.now_ns += 10 * kNsPerSecond;
  run.tick();
  CHECK(run.check.result() == SessionCheck::Result::kAsking && run.check.begun_ns() == run.now_ns);
}

}  // namespace
}  // namespace nsm::test
