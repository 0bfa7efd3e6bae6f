// What the engine may still do once it serves: no capability, no new privilege,
// no dump, and only the system calls that moving packets needs. Anything else
// kills the process; the holder starts it again.
#pragma once

#include <string>

namespace nsm::io {

// Why this process has more privilege than an engine may have; empty when it has none.
std::string excess_privilege();

// To be called before the first thread starts: threads inherit it.
bool renounce_privilege() noexcept;

// Installs the seccomp filter on every thread of the process.
// Returns false when the kernel refuses it: the engine must not serve then.
bool enter_sandbox() noexcept;

// Sanitizers need system calls of their own: their builds run without the filter.
bool has_sandbox() noexcept;

}  // namespace nsm::io
