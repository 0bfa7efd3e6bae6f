// Who is at the other end of a unix socket, from the kernel's record of who
// connected (or, on a socket that connected, who listens), never from what the
// peer says. See SO_PEERPIDFD; kernels before 6.5 have only the pid, which is
// then held by a pidfd and found alive after everything was read.
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
  std::string cgroup;  // v2 path, or the most specific v1 path; empty where there is none
};

// EPERM with a sentence when the peer cannot be told for certain, such as when it is already gone.
Status attest(int socket, Attestation& peer);

}  // namespace nsm::holder
