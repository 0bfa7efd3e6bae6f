#include "holder/ping-range.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace nsm::holder {
namespace {

constexpr std::string_view kNobody = "1\t0\n";
constexpr std::string_view kEverybody = "0\t2147483647\n";

// Attached to no directory, because container runtimes make /proc/sys read-only.
Fd open_proc() noexcept {
  const Fd context(fsopen("proc", FSOPEN_CLOEXEC));
  if (!context || fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return {};
  return Fd(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
}

bool replace(const Namespaces& namespaces, const Namespace& target, std::string_view from,
             std::string_view to) noexcept {
  if (target.id == namespaces.own()->id) return false;
  const Fd proc = open_proc();
  const NamespaceVisit visit(*namespaces.own(), target);  // whose settings proc shows
  if (!proc || !visit.status().ok()) return false;
  const Fd range(openat(proc.get(), "sys/net/ipv4/ping_group_range", O_RDWR | O_CLOEXEC));
  std::array<char, 64> text;
  const ssize_t size = pread(range.get(), text.data(), text.size(), 0);
  if (size < 0 || std::string_view(text.data(), static_cast<std::size_t>(size)) != from) return false;
  return pwrite(range.get(), to.data(), to.size(), 0) == static_cast<ssize_t>(to.size());
}

}  // namespace

bool allow_ping(const Namespaces& namespaces, const Namespace& target) noexcept {
  return replace(namespaces, target, kNobody, kEverybody);
}

void disallow_ping(const Namespaces& namespaces, const Namespace& target) noexcept {
  replace(namespaces, target, kEverybody, kNobody);
}

}  // namespace nsm::holder
