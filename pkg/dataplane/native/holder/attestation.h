// Attestation: which process is at the other end of a unix socket. It comes from the
// kernel's record of who connected (or, on a socket that we connected, who listens), and
// never from what the peer says. See SO_PEERPIDFD. Kernels before 6.5 only have the pid:
// we open a pidfd for it and check that the process is still alive after we have read
// everything.
#pragma once

#include <sys/types.h>

#include <string>

#include "io/fd.h"
#include "protocol/message.h"

namespace nsm::holder {

using io::Fd;
using protocol::Status;

struct Attestation {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  Fd network_namespace;
  std::string cgroup;  // v2 path, or the most specific v1 path; empty: none
};

// EPERM: the peer cannot be identified with certainty, for example because it has already exited.
Status attest(int socket, Attestation& peer);

}  // namespace nsm::holder
