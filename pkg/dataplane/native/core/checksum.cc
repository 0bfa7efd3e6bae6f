#include "checksum.h"

namespace nsm {
namespace {

using Lanes = std::uint64_t __attribute__((vector_size(32)));

// Adds halves of 32 bits in lanes of 64 bits, which no packet is long enough to
// overflow. In one's complement arithmetic 2^32 equals 1, so both halves count alike.
[[gnu::always_inline]] inline std::uint64_t add_blocks(const std::uint8_t* data,
                                                       std::size_t blocks) noexcept {
  Lanes low[2] = {}, high[2] = {};
  for (; blocks > 0; blocks--, data += kChecksumBlock) {
    for (int i = 0; i < 2; i++) {
      Lanes words;
      std::memcpy(&words, data + i * sizeof words, sizeof words);
      low[i] += words & 0xffffffff;
      high[i] += words >> 32;
    }
  }
  const Lanes sum = low[0] + low[1] + high[0] + high[1];
  return sum[0] + sum[1] + sum[2] + sum[3];
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::uint64_t add_blocks_avx2(const std::uint8_t* data, std::size_t blocks) noexcept {
  return add_blocks(data, blocks);
}
const bool kHasAvx2 = __builtin_cpu_supports("avx2");
#endif

}  // namespace

std::uint64_t checksum_blocks(const std::uint8_t* data, std::size_t blocks) noexcept {
#if defined(__x86_64__)
  if (kHasAvx2) return add_blocks_avx2(data, blocks);
#endif
  return add_blocks(data, blocks);
}

}  // namespace nsm
