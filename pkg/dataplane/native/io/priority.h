// The place of the data threads among what runs on a node.
#pragma once

namespace nsm::io {

// A packet that waits for a core behind a busy workload waits for milliseconds,
// and a full ring behind it drops: the calling thread goes before ordinary ones,
// in short turns. It still shares its core, as a real-time thread would not.
// False when the limit on nice values (RLIMIT_NICE, from the holder) forbids it.
bool take_priority() noexcept;

}  // namespace nsm::io
