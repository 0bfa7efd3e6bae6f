#include "holder/occupancy.h"

#include <sys/epoll.h>
#include <sys/stat.h>

#include <string>
#include <utility>

#include "holder/processes.h"

namespace nsm::holder {

using namespace std::chrono_literals;

namespace {

// What ends together, such as the processes of a pod, shares a look.
constexpr auto kGather = 100ms;
constexpr auto kConfirm = 1s;

bool network_namespace_of(pid_t pid, NamespaceId& id) {
  struct stat info;
  if (stat(proc_path(std::to_string(pid), "ns/net").c_str(), &info) != 0) return false;
  id = namespace_id(info);
  return true;
}

}  // namespace

Occupancy::~Occupancy() {
  for (const auto& [id, witness] : witnesses_) loop_.forget(witness.get());
}

void Occupancy::changed(NamespaceId id) {
  if (!namespaces_.is_pinned(id)) return forget(id);
  doubted_.insert(id);
  look_soon();
}

void Occupancy::tell_again() {
  if (empty_.empty()) return;
  doubted_.insert(empty_.begin(), empty_.end());
  look_soon();
}

void Occupancy::look_soon() {
  if (is_looking_) return;
  is_looking_ = true;
  loop_.after(kGather, [this] {
    is_looking_ = false;
    look();
  });
}

void Occupancy::look() {
  std::set<NamespaceId> wanted;
  for (const NamespaceId& id : std::exchange(doubted_, {})) {
    if (!is_settled(id)) wanted.insert(id);
  }
  if (wanted.empty()) return;
  find_witnesses(wanted);
  for (const NamespaceId& id : wanted) missed(id);
}

// Whether it is known without a look that somebody is there, or that nobody needs to be.
bool Occupancy::is_settled(NamespaceId id) {
  if (!namespaces_.is_pinned(id)) {
    forget(id);
    return true;
  }
  const bool is_occupied =
      id == namespaces_.own()->id || witnesses_.contains(id) || sessions_.has_client_in(id);
  if (is_occupied) {
    missed_.erase(id);
    empty_.erase(id);
  }
  return is_occupied;
}

// Removes from `wanted` what it has found somebody in.
void Occupancy::find_witnesses(std::set<NamespaceId>& wanted) {
  const bool is_read = each_process([this, &wanted](pid_t pid) {
    NamespaceId id;
    if (!network_namespace_of(pid, id) || !wanted.contains(id)) return true;
    Fd witness = open_pidfd(pid);
    // Crash: it may have ended meanwhile, and the pid may be another process by now.
    NamespaceId again;
    if (!witness || !network_namespace_of(pid, again) || again != id) return true;
    watch(id, std::move(witness));
    wanted.erase(id);
    return !wanted.empty();
  });
  if (!is_read) wanted.clear();  // we know nothing
}

void Occupancy::watch(NamespaceId id, Fd witness) {
  missed_.erase(id);
  empty_.erase(id);
  const int fd = witness.get();
  witnesses_.insert_or_assign(id, std::move(witness));
  loop_.watch(fd, EPOLLIN, [this, id, fd](std::uint32_t) {
    loop_.forget(fd);
    witnesses_.erase(id);
    changed(id);
  });
}

void Occupancy::forget(NamespaceId id) {
  if (const auto found = witnesses_.find(id); found != witnesses_.end()) {
    loop_.forget(found->second.get());
    witnesses_.erase(found);
  }
  missed_.erase(id);
  empty_.erase(id);
}

void Occupancy::missed(NamespaceId id) {
  if (missed_.insert(id).second) {
    loop_.after(kConfirm, [this, id] { changed(id); });
  } else {
    empty_.insert(id);
    on_empty(id);
  }
}

}  // namespace nsm::holder
