#include "core/rate-limiter.h"

#include "check.h"
#include "seeded-random.h"

namespace nsm::test {
namespace {

SocketAddress address6(std::uint64_t high, std::uint64_t low) {
  SocketAddress e;
  e.family = 6;
  store_be64(e.address.data(), high);
  store_be64(e.address.data() + 8, low);
  return e;
}

struct Step {
  std::uint64_t after_ms;
  bool allowed;
};

TEST("a source may send a burst of 5, and then 20 per second") {
  SeededRandom random(1);
  RateLimiter limiter(random);
  const SocketAddress source = address4(0x0a000001, 7);
  std::uint64_t now_ns = 1000 * kNsPerSecond;
  for (const Step& step : {Step{0, true},
                           {0, true},
                           {0, true},
                           {0, true},
                           {0, true},
                           {0, false},
                           {49, false},
                           {1, true},
                           {0, false},
                           {100, true},
                           {0, true},
                           {0, false},
                           {5000, true},
                           {0, true},
                           {0, true},
                           {0, true},
                           {0, true},
                           {0, false}}) {
    now_ns += step.after_ms * kNsPerMs;
    CHECK(limiter.allow(source, now_ns) == step.allowed);
  }
}

TEST("IPv4 sources are limited per address (any port), IPv6 sources per /64") {
  SeededRandom random(1);
  RateLimiter limiter(random);
  for (std::uint16_t i = 0; i < 5; i++) {
    CHECK(limiter.allow(address4(1, i), 1));
    CHECK(limiter.allow(address6(1, i), 1));
  }
  CHECK(!limiter.allow(address4(1, 9), 1) && !limiter.allow(address6(1, 99), 1));
  CHECK(limiter.allow(address4(2, 0), 1) && limiter.allow(address6(2, 0), 1));
}

TEST("a flood of sources neither grows the table nor evicts the heaviest source from it") {
  SeededRandom random(3);
  RateLimiter limiter(random);
  const SocketAddress loud = address4(0xc0000201, 1);
  int allowed = 0;
  for (std::uint32_t i = 0; i < 1'000'000; i++) {
    limiter.allow(address4(i, 1), 1000 + i);
    if (i % 100 == 0) allowed += limiter.allow(loud, 1000 + i);
  }
  CHECK(allowed == 5);  // the whole flood took 1 ms
}

}  // namespace
}  // namespace nsm::test
