// Opens what a path names with the rights of another user, so that nobody reaches through the holder,
// or learns from its errors, what is closed to himself. The holder cannot change its user: it walks the
// path and checks the mode of each directory on the way by the descriptor that it has opened.
#pragma once

#include <sys/types.h>

#include <string>

#include "io/fd.h"
#include "protocol/message.h"

namespace nsm::holder {

using io::Fd;
using protocol::Status;

// `file` is opened with O_PATH. Groups and access lists do not count: the user is the owner or one of
// the others.
Status reach(const std::string& path, uid_t uid, Fd& file);

// Whether `uid` may connect to the socket. EACCES says what to do.
Status may_connect(const Fd& socket, uid_t uid);

}  // namespace nsm::holder
