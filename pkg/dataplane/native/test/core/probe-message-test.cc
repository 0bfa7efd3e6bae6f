// Probe messages and their rate limit.
#include "core/probe-message.h"

#include <vector>

#include "check.h"
#include "core/probe-rate-limit.h"

namespace nsm::test {
namespace {

TEST("of a flood of probe messages at most 1,280 per second are accepted") {
  ProbeRateLimit limit;
  CHECK(!limit.any() && !limit.take(kNsPerSecond));
  limit.set(true);
  int accepted = 0;
  for (std::uint64_t at_ns = 0; at_ns < kNsPerSecond; at_ns += kNsPerMs / 100)
    accepted += limit.take(kNsPerSecond + at_ns);
  CHECK(accepted == 1280);
  limit.set(false);
  CHECK(!limit.take(9 * kNsPerSecond));
}

TEST("a probe message is read as it was written, and no other plaintext is taken for one") {
  std::vector<std::uint8_t> bytes(200, 0xee);
  const ProbeMessage probe{ProbeMessageKind::kProbe, 77, 1234567890123, 200};
  write_probe_message(probe, bytes);
  CHECK(read_probe_message(bytes) == probe);
  CHECK(!read_probe_message({bytes.data(), 199}));  // differs from the length field
  bytes[6] = 2;
  CHECK(is_probe_message(bytes) && !read_probe_message(bytes));
  bytes[6] = 1, bytes[7] = 3;
  CHECK(!read_probe_message(bytes));
  bytes[0] = 0x45;
  CHECK(!is_probe_message(bytes));
}

}  // namespace
}  // namespace nsm::test
