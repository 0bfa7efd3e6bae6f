#include "holder/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <memory>

// Newer than Debian 12's headers.
#ifndef PIDFD_GET_NET_NAMESPACE
#define PIDFD_GET_NET_NAMESPACE _IO(0xff, 4)
#endif

namespace nsm::holder {
namespace {

constexpr std::size_t kMaxFileBytes = 16 * 1024;
constexpr int kFieldsToStart = 20;  // of /proc/PID/stat, from the name to the start: fields 3 to 22

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// 0: not the name of a process.
pid_t parse_pid(const char* name) {
  pid_t pid = 0;
  const char* end = name + std::strlen(name);
  const auto parsed = std::from_chars(name, end, pid);
  return parsed.ec == std::errc{} && parsed.ptr == end ? pid : 0;
}

}  // namespace

bool each_process(const std::function<bool(pid_t pid)>& visit) {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir("/proc"));
  if (!directory) return false;
  while (const dirent* entry = readdir(directory.get())) {
    const pid_t pid = parse_pid(entry->d_name);
    if (pid != 0 && !visit(pid)) break;
  }
  return true;
}

std::string proc_path(const std::string& process, std::string_view file) {
  return "/proc/" + process + "/" + std::string(file);
}

std::string read_proc(const std::string& process, std::string_view file) {
  const Fd opened(open(proc_path(process, file).c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(kMaxFileBytes, '\0');
  std::size_t size = 0;
  for (ssize_t got; size < text.size() && (got = read(opened.get(), &text[size], text.size() - size)) > 0;)
    size += got;
  text.resize(size);
  return text;
}

Fd open_pidfd(pid_t pid) { return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

bool is_alive(const Fd& pidfd) {
  pollfd exited{pidfd.get(), POLLIN, 0};
  return poll(&exited, 1, 0) == 0;
}

Fd open_network_namespace(const Fd& pidfd, pid_t pid) {
  const int fd = ioctl(pidfd.get(), PIDFD_GET_NET_NAMESPACE, 0);
  if (fd >= 0 || (errno != ENOTTY && errno != EINVAL)) return Fd(fd);
  return Fd(open(proc_path(std::to_string(pid), "ns/net").c_str(), O_RDONLY | O_CLOEXEC));
}

std::uint64_t start_of(std::string_view stat) {
  // The name is in parentheses and may itself contain blanks and parentheses.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == stat.npos) return 0;
  stat.remove_prefix(name_end + 1);
  for (int field = 0; field < kFieldsToStart; ++field) {
    const std::size_t blank = stat.find(' ');
    if (blank == stat.npos) return 0;
    stat.remove_prefix(blank + 1);
  }
  std::uint64_t start = 0;
  std::from_chars(stat.data(), stat.data() + stat.size(), start);
  return start;
}

}  // namespace nsm::holder
