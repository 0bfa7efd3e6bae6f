#include "holder/attestation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <string_view>

#include "holder/cgroup.h"
#include "holder/processes.h"
#include "holder/unix-socket.h"

// Newer than Debian 12's headers.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace nsm::holder {
namespace {

constexpr int kMaxNestedUserNamespaces = 32;  // the kernel's own limit

Fd open_peer_pidfd(int socket, pid_t pid) {
  int pidfd = -1;
  socklen_t length = sizeof pidfd;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0) return Fd(pidfd);
  if (errno != ENOPROTOOPT) return Fd();
  return open_pidfd(pid);
}

// The inode number of a namespace; 0: it cannot be read.
std::uint64_t namespace_of(const std::string& process, std::string_view kind) {
  struct stat info;
  return stat(proc_path(process, kind).c_str(), &info) == 0 ? info.st_ino : 0;
}

std::uint64_t inode_of(const Fd& file) {
  struct stat info;
  return fstat(file.get(), &info) == 0 ? info.st_ino : 0;
}

// Paths in /proc/PID/cgroup are relative to the reader's cgroup namespace. In a container with the
// host's pid namespace, that of the host is needed to see other pods' paths from their start.
void enter_cgroup_namespace_of_init() {
  const Fd init(open("/proc/1/ns/cgroup", O_RDONLY | O_CLOEXEC));
  if (init) setns(init.get(), CLONE_NEWCGROUP);
}

}  // namespace

Status Attestor::open() {
  network_ = namespace_of("self", "ns/net");
  pid_ = namespace_of("self", "ns/pid");
  user_ = namespace_of("self", "ns/user");
  if (network_ == 0 || pid_ == 0 || user_ == 0) return {errno, "cannot read /proc/self/ns; mount /proc"};
  enter_cgroup_namespace_of_init();
  pod_ = parse_cgroup(read_proc("self", "cgroup"), kubelet_root_).pod;
  return {};
}

Status Attestor::attest(int socket, Attestation& peer) const {
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
  Status status = read_namespaces(pidfd, peer);
  const Cgroup cgroup = parse_cgroup(read_proc(std::to_string(peer.pid), "cgroup"), kubelet_root_);
  peer.cgroup = cgroup.path;
  peer.pod = cgroup.pod;
  const bool is_in_other_pod = !peer.pod.empty() && peer.pod != pod_;
  peer.is_nodes_own = !is_in_other_pod && peer.user_namespace == user_ && peer.pid_namespace == pid_ &&
                      inode_of(peer.network_namespace) == network_;
  peer.account = account_of(peer);
  // Crash: if it had exited earlier, the pid could belong to another process by now.
  if (!is_alive(pidfd)) return {EPERM, "the process that connected has exited"};
  if (cgroup.disputed) return {EPERM, "the peer's cgroups belong to different pods"};
  return status;
}

Status Attestor::read_namespaces(const Fd& pidfd, Attestation& peer) const {
  const std::string process = std::to_string(peer.pid);
  peer.network_namespace = open_network_namespace(pidfd, peer.pid);
  const int error = errno;
  if (!peer.network_namespace)
    return {EPERM, "cannot open the peer's network namespace: " + errno_text(error)};
  peer.pid_namespace = namespace_of(process, "ns/pid");
  peer.user_namespace = namespace_of(process, "ns/user");
  peer.mount_namespace = namespace_of(process, "ns/mnt");
  if (peer.pid_namespace != 0 && peer.user_namespace != 0 && peer.mount_namespace != 0) return {};
  return {EPERM, "cannot read the peer's namespaces: " + errno_text(errno)};
}

std::string Attestor::account_of(const Attestation& peer) const {
  if (!peer.pod.empty()) return "pod/" + peer.pod;
  const uid_t owner = peer.user_namespace == user_ ? peer.uid : owner_of(peer);
  if (owner == 0 && !peer.is_nodes_own) return "unit" + unit_of(peer.cgroup);
  return "uid/" + std::to_string(owner);
}

// The user who made the outermost user namespace round the peer: users may have ranges of uids to
// use in theirs. Falls back to the peer's uid.
uid_t Attestor::owner_of(const Attestation& peer) const {
  Fd current(::open(proc_path(std::to_string(peer.pid), "ns/user").c_str(), O_RDONLY | O_CLOEXEC));
  for (int depth = 0; current && depth < kMaxNestedUserNamespaces; ++depth) {
    Fd parent(ioctl(current.get(), NS_GET_PARENT));
    if (!parent || inode_of(parent) == user_) {
      uid_t owner;
      return ioctl(current.get(), NS_GET_OWNER_UID, &owner) == 0 ? owner : peer.uid;
    }
    current = std::move(parent);
  }
  return peer.uid;
}

}  // namespace nsm::holder
