// The scheduling of the engine's threads.
#pragma once

namespace nsm::io {

// When a data thread has to wait for the CPU behind a busy workload, packets are late by
// milliseconds and full queues drop. So data threads have a high priority (nice value)
// and short time slices. Unlike real-time threads, they still share the CPU.

// Whether this process was started with the nice value of a data thread.
bool has_priority() noexcept;
// Shortens the time slice of the calling thread.
void shorten_time_slice() noexcept;
// Gives the calling thread the normal priority.
void renounce_priority() noexcept;

}  // namespace nsm::io
