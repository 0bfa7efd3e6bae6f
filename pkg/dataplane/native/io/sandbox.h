// The engine's sandbox: no capability, no new privilege, no core dump, and only the
// system calls that are needed to move packets. Any other call kills the process, and
// the holder starts another one.
#pragma once

#include <string>

namespace nsm::io {

// Why this process has too much privilege for an engine; empty: it has none.
std::string excess_privilege();

// To be called before the first thread is started, because threads inherit it.
bool renounce_privilege() noexcept;

// Installs the seccomp filter on all threads of the process. False: the kernel refused
// it, and the engine must not serve.
bool enter_sandbox() noexcept;

// False in builds with sanitizers, which need system calls of their own.
bool has_sandbox() noexcept;

}  // namespace nsm::io
