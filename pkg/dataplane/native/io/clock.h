// The clocks for the core (core/environment.h).
#pragma once

#include <time.h>

#include "core/environment.h"

namespace nsm::io {

inline std::uint64_t read_clock(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(time.tv_nsec);
}
inline std::uint64_t boot_ns() noexcept { return read_clock(CLOCK_BOOTTIME); }
inline Now now() noexcept { return {boot_ns(), read_clock(CLOCK_REALTIME)}; }

}  // namespace nsm::io
