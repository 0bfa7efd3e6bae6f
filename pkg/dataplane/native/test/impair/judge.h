// Decides what becomes of each datagram of one direction. No I/O and no clock:
// the same seed and the same datagrams give the same fates.
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
  kTooBig,    // for the MTU hole
  kRateQueue  // waited for more than kMaxQueueNs of a limited rate
};

struct Fate {
  Lost lost = Lost::kNot;
  std::optional<std::size_t> flipped_bit;  // of the UDP payload
  bool duplicate = false;
  std::uint64_t held_for = 0;  // leaves when so many later datagrams have come; 0: in order
  std::uint64_t delay_ns = 0;
};

class Judge {
 public:
  static constexpr std::uint64_t kMaxQueueNs = 200'000'000;

  explicit Judge(std::uint64_t seed) noexcept : dice_(seed) {}
  Faults& faults() noexcept { return faults_; }

  struct Datagram {
    std::size_t bytes;         // of UDP payload
    std::size_t header_bytes;  // of IP and UDP in front of it
    std::uint64_t now_ns;
  };
  Fate judge(const Datagram& datagram) noexcept;

 private:
  Lost lose(std::uint64_t number, const Datagram& datagram) noexcept;
  // How long a datagram waits for those in front of it; absent: the queue is full.
  std::optional<std::uint64_t> queue(const Datagram& datagram) noexcept;

  Dice dice_;
  Faults faults_;
  std::uint64_t count_ = 0;
  std::uint64_t burst_left_ = 0;
  std::uint64_t busy_until_ns_ = 0;
};

}  // namespace nsm::impair
