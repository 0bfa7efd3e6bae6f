// The processes of this machine, as /proc shows them. A pid may name another process a moment later:
// who needs certainty opens a pidfd first, and asks is_alive() after everything has been read.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "io/fd.h"

namespace nsm::holder {

using io::Fd;

// Calls `visit` for each process until it returns false. False: /proc cannot be read.
bool each_process(const std::function<bool(pid_t pid)>& visit);

// `process`: a pid, or "self".
std::string proc_path(const std::string& process, std::string_view file);
std::string read_proc(const std::string& process, std::string_view file);

Fd open_pidfd(pid_t pid);
bool is_alive(const Fd& pidfd);
Fd open_network_namespace(const Fd& pidfd, pid_t pid);

// When the process of this /proc/PID/stat started, in ticks since the machine did; 0: the text says nothing.
std::uint64_t start_of(std::string_view stat);

}  // namespace nsm::holder
