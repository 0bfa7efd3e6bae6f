#include "holder/attestation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <string_view>

#include "holder/unix-socket.h"

// Newer than Debian 12's headers.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef PIDFD_GET_NET_NAMESPACE
#define PIDFD_GET_NET_NAMESPACE _IO(0xff, 4)
#endif

namespace nsm::holder {
namespace {

Fd open_peer_pidfd(int socket, pid_t pid) {
  int pidfd = -1;
  socklen_t length = sizeof pidfd;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0) return Fd(pidfd);
  if (errno != ENOPROTOOPT) return Fd();
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

bool is_alive(const Fd& pidfd) {
  pollfd exited{pidfd.get(), POLLIN, 0};
  return poll(&exited, 1, 0) == 0;
}

std::string proc_path(pid_t pid, std::string_view file) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(file);
}

Fd open_network_namespace(const Fd& pidfd, pid_t pid) {
  const int fd = ioctl(pidfd.get(), PIDFD_GET_NET_NAMESPACE, 0);
  if (fd >= 0 || (errno != ENOTTY && errno != EINVAL)) return Fd(fd);
  return Fd(open(proc_path(pid, "ns/net").c_str(), O_RDONLY | O_CLOEXEC));
}

std::string read_file(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(16 * 1024, '\0');
  std::size_t size = 0;
  for (ssize_t got; size < text.size() && (got = read(file.get(), &text[size], text.size() - size)) > 0;)
    size += got;
  text.resize(size);
  return text;
}

// Lines are "hierarchy:controllers:path"; hierarchy 0 is v2. When both are mounted, the
// v2 path may be an unused root.
std::string most_specific_cgroup(std::string_view lines) {
  std::string_view v2, v1;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::size_t path = line.find('/');
    if (path == line.npos) continue;
    std::string_view& best = line.starts_with("0::") ? v2 : v1;
    if (line.size() - path > best.size()) best = line.substr(path);
  }
  return std::string(v2.size() > 1 || v1.size() <= 1 ? v2 : v1);
}

}  // namespace

Status attest(int socket, Attestation& peer) {
  ucred credentials;
  if (!peer_credentials(socket, credentials) || credentials.pid <= 0) {
    return {EPERM,
            "cannot identify the peer: it is in a pid namespace that the holder does not see; run the holder "
            "in the host's pid namespace"};
  }
  const Fd pidfd = open_peer_pidfd(socket, credentials.pid);
  if (!pidfd) return {EPERM, "the process that connected has exited"};
  peer.pid = credentials.pid;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.network_namespace = open_network_namespace(pidfd, peer.pid);
  const int error = errno;
  peer.cgroup = most_specific_cgroup(read_file(proc_path(peer.pid, "cgroup")));
  // Crash: if it had exited earlier, the pid could belong to another process by now.
  if (!is_alive(pidfd)) return {EPERM, "the process that connected has exited"};
  if (!peer.network_namespace)
    return {EPERM, "cannot open the peer's network namespace: " + errno_text(error)};
  return {};
}

}  // namespace nsm::holder
