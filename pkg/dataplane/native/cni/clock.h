// Deadlines of the plugin: each wait has one, so that no call can hold the runtime for longer.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>

namespace nsm::cni {

class Deadline {
 public:
  explicit Deadline(std::int64_t ms) : at_ms_(now_ms() + ms) {}

  std::int64_t left_ms() const { return std::max<std::int64_t>(at_ms_ - now_ms(), 0); }
  // The earlier one of this and `ms` from now.
  Deadline within(std::int64_t ms) const { return Deadline(std::min(ms, left_ms())); }

 private:
  static std::int64_t now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * std::int64_t{1000} + now.tv_nsec / 1'000'000;
  }

  std::int64_t at_ms_;
};

}  // namespace nsm::cni
