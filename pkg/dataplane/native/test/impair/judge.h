// Decides what happens to each datagram of one direction. No I/O and no clock: the same seed and the
// same datagrams give the same decisions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dice.h"
#include "faults.h"

namespace nsm::impair {

enum class Lost : std::uint8_t {
  kNot,
  kRandom,
  kBurst,
  kTooBig,    // for the MTU black hole
  kRateQueue  // would wait longer than kMaxQueueNs in the queue of the rate limit
};

struct Fate {
  Lost lost = Lost::kNot;
  std::optional<std::size_t> flipped_bit;  // of the UDP payload
  bool duplicate = false;
  std::uint64_t held_for = 0;  // leaves after this many later datagrams; 0: in order
  std::uint64_t delay_ns = 0;
};

class Judge {
 public:
  static constexpr std::uint64_t kMaxQueueNs = 200'000'000;

  explicit Judge(std::uint64_t seed) noexcept : dice_(seed) {}
  Faults& faults() noexcept { return faults_; }

  struct Datagram {
    std::size_t bytes;         // of UDP payload
    std::size_t header_bytes;  // of the IP and UDP headers
    std::uint64_t now_ns;
  };
  Fate judge(const Datagram& datagram) noexcept;

 private:
  Lost lose(std::uint64_t number, const Datagram& datagram) noexcept;
  // How long a datagram waits in the rate limit's queue; empty if the queue is full.
  std::optional<std::uint64_t> queue(const Datagram& datagram) noexcept;

  Dice dice_;
  Faults faults_;
  std::uint64_t count_ = 0;
  std::uint64_t burst_left_ = 0;
  std::uint64_t busy_until_ns_ = 0;
};

}  // namespace nsm::impair
