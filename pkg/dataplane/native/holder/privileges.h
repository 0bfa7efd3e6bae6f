// Drops privileges for good: the holder keeps three capabilities, the engine's side none.
#pragma once

#include <sys/types.h>

#include "protocol/message.h"

namespace nsm::holder {

using protocol::Status;

// Keeps exactly CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_SYS_PTRACE (permitted, effective and
// bounding set) for this process. Joins `group`, so that sockets of nsmd that are
// writable for its group can be reached.
Status keep_holder_privileges(gid_t group);

// Becomes `uid` (and the group of the same number) without any capability.
Status drop_all_privileges(uid_t uid);

// Sets limits that the engine inherits: no core dump, lockable memory, as many
// descriptors as allowed.
void set_limits();

// Protects the memory from other processes of this user, and locks it, so that it is not
// swapped out. False: it cannot be locked.
bool protect_memory();

}  // namespace nsm::holder
