#include "holder/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "holder/unix-socket.h"

namespace nsm::holder {
namespace {

constexpr int kMaxLinks = 40;  // the kernel's own limit
constexpr mode_t kWrite = 2, kSearch = 1;

bool may(const Fd& file, uid_t uid, mode_t bit) {
  struct stat info;
  if (fstat(file.get(), &info) != 0) return false;
  return ((info.st_uid == uid ? info.st_mode >> 6 : info.st_mode) & bit) != 0;
}

Fd open_root() { return Fd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)); }

bool is_link(const Fd& file) {
  struct stat info;
  return fstat(file.get(), &info) == 0 && S_ISLNK(info.st_mode);
}

std::string read_link(const Fd& link) {
  char target[PATH_MAX];
  const ssize_t size = readlinkat(link.get(), "", target, sizeof target);
  return std::string(target, size > 0 ? size : 0);
}

// Removes the first component from `path`; empty: there is none.
std::string next_component(std::string& path) {
  path.erase(0, path.find_first_not_of('/'));
  std::string component = path.substr(0, path.find('/'));
  path.erase(0, component.size());
  return component;
}

Status refused(int error) { return {error, "cannot reach the socket: " + errno_text(error)}; }

}  // namespace

Status reach(const std::string& path, uid_t uid, Fd& file) {
  Fd at = open_root();
  std::string rest = path;
  int links = 0;
  for (std::string component; !(component = next_component(rest)).empty();) {
    if (!may(at, uid, kSearch)) return refused(EACCES);
    Fd next(openat(at.get(), component.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return refused(errno);
    if (!is_link(next)) {
      at = std::move(next);
      continue;
    }
    if (++links > kMaxLinks) return refused(ELOOP);
    const std::string target = read_link(next);
    if (target.starts_with('/')) at = open_root();
    rest = target + rest;
  }
  file = std::move(at);
  return {};
}

Status may_connect(const Fd& socket, uid_t uid) {
  if (may(socket, uid, kWrite)) return {};
  Status status = refused(EACCES);
  status.text += "; make the socket writable for everyone (chmod 0666) and protect it with its directory";
  return status;
}

}  // namespace nsm::holder
