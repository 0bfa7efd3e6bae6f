// Attestation: which process is at the other end of a unix socket. It comes from the
// kernel's record of who connected (or, on a socket that we connected, who listens), and
// never from what the peer says. See SO_PEERPIDFD. Kernels before 6.5 only have the pid:
// we open a pidfd for it and check that the process is still alive after we have read
// everything.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "io/fd.h"
#include "protocol/message.h"

namespace nsm::holder {

using io::Fd;
using protocol::Status;

struct Attestation {
  pid_t pid = 0;
  uid_t uid = 0;  // in the user namespace of the holder
  gid_t gid = 0;
  Fd network_namespace;
  std::uint64_t pid_namespace = 0;  // inode numbers, like the next two
  std::uint64_t user_namespace = 0;
  std::uint64_t mount_namespace = 0;
  std::string cgroup;  // v2 path, or the most specific v1 path; empty: none
  std::string pod;     // uid; empty: none
  // A process of the node itself: in its user, pid and network namespaces, and in no pod but the
  // holder's own. Root in a container is not.
  bool is_nodes_own = false;
  // Whom limits count the process for, which it cannot make more of (it can make namespaces): its
  // pod ("pod/<uid>"), its user ("uid/<n>"; in a user namespace, the user who made that), or for a
  // container of root its unit ("unit/<cgroup>").
  std::string account;
};

class Attestor {
 public:
  // `kubelet_root`: see cgroup.h.
  explicit Attestor(std::string kubelet_root) : kubelet_root_(std::move(kubelet_root)) {}

  // Reads which namespaces are the node's: those of this process.
  Status open();
  // EPERM: the peer cannot be identified with certainty, for example because it has already exited.
  Status attest(int socket, Attestation& peer) const;

 private:
  Status read_namespaces(const Fd& pidfd, Attestation& peer) const;
  std::string account_of(const Attestation& peer) const;
  uid_t owner_of(const Attestation& peer) const;

  std::string kubelet_root_;
  std::string pod_;                                 // of the holder; empty: none
  std::uint64_t network_ = 0, pid_ = 0, user_ = 0;  // inode numbers of the node's namespaces
};

}  // namespace nsm::holder
