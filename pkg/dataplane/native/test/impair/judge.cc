#include "judge.h"

#include <algorithm>

namespace nsm::impair {

Fate Judge::judge(const Datagram& datagram) noexcept {
  const std::uint64_t number = ++count_;
  Fate fate;
  fate.lost = lose(number, datagram);
  if (fate.lost != Lost::kNot) return fate;
  const auto waits_ns = queue(datagram);
  if (!waits_ns) {
    fate.lost = Lost::kRateQueue;
    return fate;
  }
  fate.delay_ns = faults_.delay_ns + *waits_ns;
  if (faults_.jitter_ns > 0) fate.delay_ns += dice_.below(number, Throw::kJitter, faults_.jitter_ns + 1);
  if (datagram.bytes > 0 && dice_.chance(number, Throw::kCorrupt, faults_.corrupt_percent))
    fate.flipped_bit = dice_.below(number, Throw::kBit, datagram.bytes * 8);
  fate.duplicate = dice_.chance(number, Throw::kDuplicate, faults_.duplicate_percent);
  if (dice_.chance(number, Throw::kReorder, faults_.reorder_percent))
    fate.held_for = 1 + dice_.below(number, Throw::kDepth, faults_.reorder_depth);
  return fate;
}

Lost Judge::lose(std::uint64_t number, const Datagram& datagram) noexcept {
  if (faults_.mtu_bytes > 0 && datagram.bytes + datagram.header_bytes > faults_.mtu_bytes)
    return Lost::kTooBig;
  if (burst_left_ == 0 && dice_.chance(number, Throw::kBurst, faults_.burst_percent))
    burst_left_ = faults_.burst_length;
  if (burst_left_ > 0) {
    burst_left_--;
    return Lost::kBurst;
  }
  return dice_.chance(number, Throw::kDrop, faults_.drop_percent) ? Lost::kRandom : Lost::kNot;
}

std::optional<std::uint64_t> Judge::queue(const Datagram& datagram) noexcept {
  if (faults_.rate_bps == 0) return 0;
  const std::uint64_t starts_ns = std::max(busy_until_ns_, datagram.now_ns);
  if (starts_ns - datagram.now_ns > kMaxQueueNs) return std::nullopt;
  const double bits = static_cast<double>(datagram.bytes + datagram.header_bytes) * 8;
  busy_until_ns_ = starts_ns + static_cast<std::uint64_t>(bits * 1e9 / static_cast<double>(faults_.rate_bps));
  return busy_until_ns_ - datagram.now_ns;
}

}  // namespace nsm::impair
