// Giving up power, for good: what the holder keeps, and how the engine's side keeps nothing.
#pragma once

#include <sys/types.h>

#include "protocol/message.h"

namespace nsm::holder {

using protocol::Status;

// Keeps exactly CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_SYS_PTRACE (permitted,
// effective and bounding) for this process; joins `group` so that sockets of
// nsmd which are writable for its group can be reached.
Status keep_holder_privileges(gid_t group);

// Becomes `uid` (and the group of the same number) without any capability.
Status drop_all_privileges(uid_t uid);

// Limits that the engine inherits: no core dump, memory may be locked, as many
// descriptors as allowed.
void set_limits();

// Keeps other processes of this user out of the memory, and the memory out of
// swap (returns false when that is not to be had).
bool protect_memory();

}  // namespace nsm::holder
