// Limits the handshake messages of a source under load: a token bucket per IPv4 address
// or IPv6 /64 with 20 a second and a burst of 5.
#pragma once

#include <cstdint>
#include <vector>

#include "environment.h"

namespace nsm {

// A table of fixed size: a new source evicts the one of its set of 8 that was silent for
// the longest time, so a flood of sources costs neither memory nor time.
// Owner: the control thread.
class RateLimiter {
 public:
  static constexpr std::size_t kEntries = 65536;
  static constexpr std::size_t kWays = 8;
  static constexpr std::uint64_t kPerSecond = 20;
  static constexpr std::uint64_t kBurst = 5;

  explicit RateLimiter(Random& random);
  // Whether a message of `from` may be processed; takes one token.
  bool allow(const SocketAddress& from, std::uint64_t now_ns) noexcept;

 private:
  static constexpr std::uint64_t kCostNs = kNsPerSecond / kPerSecond;
  static constexpr std::uint64_t kFullNs = kCostNs * kBurst;

  struct Bucket {
    std::uint64_t source = 0;  // address or /64
    std::uint64_t last_ns = 0;
    std::uint32_t tokens_ns = 0;
    std::uint8_t family = 0;  // 0: free
  };
  static_assert(kFullNs <= UINT32_MAX);
  Bucket& find(std::uint64_t source, std::uint8_t family) noexcept;

  std::uint64_t seed_ = 0;  // random, so that no one outside can choose the set
  std::vector<Bucket> buckets_;
};

}  // namespace nsm
