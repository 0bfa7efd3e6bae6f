// Unix sockets: listen, connect, and messages with descriptors.
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

inline constexpr int kMaxDescriptors = 64;  // in one message, and kept of one connection

struct SocketFile {
  std::string path;
  mode_t mode;
  uid_t owner;  // and group
};

// Makes a listening socket. A file that nobody serves any more is replaced; a
// socket that answers, or anything that is no socket, is EADDRINUSE.
Status listen_unix(const SocketFile& file, Fd& socket);

// Connects without waiting.
Status connect_unix(const std::string& path, Fd& socket);

Status accept_unix(int listener, Fd& socket);

bool peer_credentials(int socket, ucred& credentials);

// One sendmsg without waiting. `fds` may be empty. Returns the bytes that went, or -1 and errno.
ssize_t send_with_fds(int socket, View bytes, const std::vector<int>& fds);

struct Received {
  ssize_t size = -1;  // as recvmsg says; errno is kept
  std::vector<Fd> fds;
  bool truncated = false;  // more descriptors, or a longer packet, than there was room for
};

// One recvmsg without waiting, with room for kMaxDescriptors.
Received receive_with_fds(int socket, std::span<std::uint8_t> buffer);

std::string errno_text(int error);

}  // namespace nsm::holder
