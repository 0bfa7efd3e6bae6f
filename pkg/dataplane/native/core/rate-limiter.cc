#include "rate-limiter.h"

#include <algorithm>

namespace nsm {

RateLimiter::RateLimiter(Random& random) : buckets_(kEntries) {
  random.fill({reinterpret_cast<std::uint8_t*>(&seed_), sizeof seed_});
}

RateLimiter::Bucket& RateLimiter::find(std::uint64_t source, std::uint8_t family) noexcept {
  std::uint64_t hash = (source ^ seed_) + family;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdull;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ull;
  Bucket* const set = &buckets_[(hash >> 32) % (kEntries / kWays) * kWays];
  Bucket* const found = std::find_if(
      set, set + kWays, [&](const Bucket& b) { return b.source == source && b.family == family; });
  if (found != set + kWays) return *found;
  Bucket& oldest = *std::min_element(set, set + kWays,
                                     [](const Bucket& a, const Bucket& b) { return a.last_ns < b.last_ns; });
  oldest = {};
  return oldest;
}

bool RateLimiter::allow(const SocketAddress& from, std::uint64_t now_ns) noexcept {
  const std::uint64_t source =
      from.family == 4 ? load_be32(from.address.data()) : load_be64(from.address.data());
  Bucket& bucket = find(source, from.family);
  const std::uint64_t earned = bucket.family == 0 ? kFullNs : now_ns - bucket.last_ns;
  const std::uint64_t tokens = std::min<std::uint64_t>(kFullNs, bucket.tokens_ns + std::min(earned, kFullNs));
  const bool allowed = tokens >= kCostNs;
  bucket = {source, now_ns, static_cast<std::uint32_t>(tokens - (allowed ? kCostNs : 0)), from.family};
  return allowed;
}

}  // namespace nsm
