#include "holder/unix-socket.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

namespace nsm::holder {
namespace {

constexpr int kBacklog = 512;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

Status make_socket(Fd& socket) {
  socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return socket ? Status{} : Status{errno, "cannot open a socket: " + errno_text(errno)};
}

Status remove_stale(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) return {EADDRINUSE, path + " exists and is not a socket; move it away"};
  Fd probe;
  const Status status = connect_unix(path, probe);
  if (status.ok() || status.error == EAGAIN) {
    return {EADDRINUSE, "another nsm-dataplane is serving " + path + "; stop it first"};
  }
  if (unlink(path.c_str()) == 0) return {};
  return {errno, "cannot remove the stale socket " + path + ": " + errno_text(errno)};
}

}  // namespace

std::string errno_text(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof buffer);
}

Status listen_unix(const SocketFile& file, Fd& socket) {
  if (Status status = remove_stale(file.path); !status.ok()) return status;
  if (Status status = make_socket(socket); !status.ok()) return status;
  const sockaddr_un address = address_of(file.path);
  const mode_t mask = umask(0777);  // no one can connect before the owner is set
  const int bound = bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  umask(mask);
  if (bound != 0 || chown(file.path.c_str(), file.owner, file.owner) != 0 ||
      chmod(file.path.c_str(), file.mode) != 0 || listen(socket.get(), kBacklog) != 0) {
    return {errno, "cannot listen on " + file.path + ": " + errno_text(errno)};
  }
  return {};
}

Status check_path(const std::string& path) {
  if (path.size() < sizeof sockaddr_un{}.sun_path) return {};
  return {ENAMETOOLONG, "cannot connect to " + path + ": the path of a socket has at most 107 bytes"};
}

Status connect_unix(const std::string& path, Fd& socket) {
  if (Status status = check_path(path); !status.ok()) return status;
  if (Status status = make_socket(socket); !status.ok()) return status;
  const sockaddr_un address = address_of(path);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  const int error = errno;
  std::string text = "cannot connect to " + path + ": " + errno_text(error);
  if (error == EACCES)
    text += "; make the socket writable for everyone (chmod 0666) and protect it with its directory";
  return {error, text};
}

Status accept_unix(int listener, Fd& socket) {
  socket = Fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  return socket ? Status{} : Status{errno, errno_text(errno)};
}

bool peer_credentials(int socket, ucred& credentials) {
  socklen_t length = sizeof credentials;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0;
}

ssize_t send_with_fds(int socket, View bytes, const std::vector<int>& fds) {
  iovec vector{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    const std::size_t size = fds.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), fds.data(), size);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

Received receive_with_fds(int socket, std::span<std::uint8_t> buffer) {
  iovec vector{buffer.data(), buffer.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  Received received;
  received.size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (received.size < 0) return received;
  received.truncated = (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      received.fds.emplace_back(fd);
    }
  }
  return received;
}

}  // namespace nsm::holder
