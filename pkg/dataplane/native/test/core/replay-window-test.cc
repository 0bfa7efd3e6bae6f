#include "core/replay-window.h"

#include <algorithm>
#include <random>
#include <set>

#include "check.h"

namespace nsm::test {
namespace {

constexpr std::uint64_t kLimit =
    ReplayWindow::kUsable;  // how far behind the greatest counter is still accepted

struct Step {
  std::uint64_t counter;
  bool accepted;
};

void run(ReplayWindow window, std::initializer_list<Step> steps) {
  int at = 0;
  for (const Step& step : steps) {
    if (!CHECK(window.accept(step.counter) == step.accepted)) std::printf("  step %d\n", at);
    at++;
  }
}

TEST("a counter is accepted once") {
  run({}, {{0, true},
           {0, false},
           {1, true},
           {1, false},
           {9, true},
           {8, true},
           {7, true},
           {7, false},
           {8, false}});
}

TEST("the window is as long as that of Linux") {
  run({}, {{kLimit, true}, {0, true}, {0, false}});
  run({}, {{kLimit + 1, true}, {0, false}, {1, true}, {1, false}});
  run({}, {{kLimit + 2, true}, {1, false}, {2, true}, {kLimit + 1, true}, {kLimit + 1, false}});
}

TEST("counters in descending order are accepted down to the edge of the window") {
  ReplayWindow window;
  for (std::uint64_t i = kLimit + 1; i-- > 0;) CHECK(window.accept(i));
  for (std::uint64_t i = 0; i <= kLimit; i++) CHECK(!window.accept(i));
}

TEST("a jump beyond the whole window clears it") {
  run({}, {{5, true},
           {5 + 20 * ReplayWindow::kBits, true},
           {5, false},
           {6, false},
           {5 + 20 * ReplayWindow::kBits - kLimit, true},
           {4 + 20 * ReplayWindow::kBits - kLimit, false},
           {4 + 20 * ReplayWindow::kBits, true},
           {4 + 20 * ReplayWindow::kBits, false}});
}

TEST("a jump by exactly one ring leaves no stale bit") {
  run({}, {{1, true},
           {1 + ReplayWindow::kBits, true},
           {1 + ReplayWindow::kBits - 64, true},
           {65, true},
           {64, false},
           {100, true},
           {100, false}});
}

TEST("counters from the reject limit on are refused and do not move the window") {
  run({}, {{kRejectAfterMessages, false},
           {UINT64_MAX, false},
           {0, true},
           {kRejectAfterMessages - 1, true},
           {kRejectAfterMessages - 1, false},
           {kRejectAfterMessages - 2, true},
           {0, false},
           {1, false}});
}

TEST("a restored window refuses all counters below its start and accepts the others once") {
  for (const std::uint64_t next : {0ull, 1ull, 63ull, 64ull, 65ull, 8191ull, 8192ull, 8193ull, 1234567ull}) {
    ReplayWindow window = ReplayWindow::from(next);
    for (std::uint64_t i = 1; i < 9000 && i <= next; i++) CHECK(!window.accept(next - i));
    for (std::uint64_t i = 0; i < 200; i++) CHECK(window.accept(next + i) && !window.accept(next + i));
    CHECK(next == 0 || !window.accept(next - 1));
  }
}

TEST("the window equals a set-based model on random walks") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 40; round++) {
    ReplayWindow window;
    std::set<std::uint64_t> seen;
    std::uint64_t greatest = 0;
    for (int i = 0; i < 5000; i++) {
      const std::uint64_t reach = 1ull << (random() % 16);
      const std::uint64_t ahead = greatest + random() % reach;
      const std::uint64_t counter = ahead < reach / 2 ? 0 : ahead - reach / 2;
      const bool fresh = counter + kLimit >= greatest && !seen.contains(counter);
      CHECK(window.accept(counter) == fresh);
      seen.insert(counter);
      greatest = std::max(greatest, counter);
    }
    CHECK(window.next() == greatest + 1);
  }
}

}  // namespace
}  // namespace nsm::test
