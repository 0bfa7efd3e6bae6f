#include "io/priority.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "core/environment.h"
#include "protocol/offloads.h"

namespace nsm::io {
namespace {

constexpr std::uint64_t kTimeSliceNs = 200'000;  // the default is 2.8 ms

// struct sched_attr of sched_setattr(2), which Debian 12's headers lack.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = protocol::kEngineNice;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = kTimeSliceNs;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

}  // namespace

bool has_priority() noexcept { return getpriority(PRIO_PROCESS, 0) == protocol::kEngineNice; }

// Kernels before 6.12 ignore the time slice.
void shorten_time_slice() noexcept {
  const SchedulingAttributes attributes;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void renounce_priority() noexcept { setpriority(PRIO_PROCESS, 0, 0); }

}  // namespace nsm::io
