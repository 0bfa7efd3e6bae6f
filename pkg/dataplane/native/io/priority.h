// The place of the engine's threads among what runs on a node.
#pragma once

namespace nsm::io {

// A packet that waits for a core behind a busy workload waits for milliseconds,
// and a full ring behind it drops: the calling thread goes before ordinary ones,
// in short turns. It still shares its core, as a real-time thread would not.

// Whether this process was started with the nice value that makes it so.
bool has_priority() noexcept;
// Makes the calling thread's turns short.
void shorten_time_slice() noexcept;
// Makes the calling thread an ordinary one.
void renounce_priority() noexcept;

}  // namespace nsm::io
