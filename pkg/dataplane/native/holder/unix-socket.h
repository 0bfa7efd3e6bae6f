// Unix sockets: listening, connecting, and messages with descriptors.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "io/fd.h"
#include "protocol/message.h"

namespace nsm::holder {

using io::Fd;
using protocol::Status;
using protocol::View;

inline constexpr int kMaxDescriptors = 64;  // per message, and kept per connection

struct SocketFile {
  std::string path;
  mode_t mode;
  uid_t owner;  // and group
};

// Opens a listening socket. A stale socket file is replaced. EADDRINUSE: the socket is in
// use, or the file is not a socket.
Status listen_unix(const SocketFile& file, Fd& socket);

// ENAMETOOLONG: no socket can have this path.
Status check_path(const std::string& path);

// Connects, but never waits.
Status connect_unix(const std::string& path, Fd& socket);

Status accept_unix(int listener, Fd& socket);

bool peer_credentials(int socket, ucred& credentials);

// One sendmsg that never waits. `fds` may be empty. Returns the number of bytes sent, or -1 with errno.
ssize_t send_with_fds(int socket, View bytes, const std::vector<int>& fds);

struct Received {
  ssize_t size = -1;  // the result of recvmsg; errno is preserved
  std::vector<Fd> fds;
  bool truncated = false;  // there was no room for all descriptors or for the whole packet
};

// One recvmsg that never waits, with room for kMaxDescriptors.
Received receive_with_fds(int socket, std::span<std::uint8_t> buffer);

std::string errno_text(int error);

}  // namespace nsm::holder
