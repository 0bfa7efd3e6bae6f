// Probe messages, and how many of them are accepted.
#include "core/probe-message.h"

#include <vector>

#include "check.h"
#include "core/probe-rate-limit.h"

namespace nsm::test {
namespace {

TEST("of a flood of probe messages 1,280 a second are accepted") {
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

TEST("a probe message is read as it was written, and other plaintexts are none") {
  std::vector<std::uint8_t> bytes(200, 0xee);
  const ProbeMessage probe{ProbeMessageKind::kProbe, 77, 1234567890123, 200};
  write_probe_message(probe, bytes);
  CHECK(read_probe_message(bytes) == probe);
  CHECK(!read_probe_message({bytes.data(), 199}));  // not the length it states
  bytes[6] = 2;
  CHECK(is_probe_message(bytes) && !read_probe_message(bytes));
  bytes[6] = 1, bytes[7] = 3;
  CHECK(!read_probe_message(bytes));
  bytes[0] = 0x45;
  CHECK(!is_probe_message(bytes));
}

}  // namespace
}  // namespace nsm::test
