#include "holder/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include <cstdio>
#include <cstdlib>

#include "holder/unix-socket.h"

namespace nsm::holder {

using namespace protocol;

NamespaceId namespace_id(const struct stat& info) { return {info.st_dev, info.st_ino}; }

Status Namespaces::open_own() {
  Fd fd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return {errno, "cannot open /proc/self/ns/net: " + errno_text(errno)};
  own_ = add(std::move(fd));
  return {};
}

NamespaceRef Namespaces::add(Fd fd) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return nullptr;
  const NamespaceId id = namespace_id(info);
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Namespace>& known = known_[id];
  NamespaceRef found = known.lock();
  if (!found) {
    found = std::make_shared<Namespace>(Namespace{id, std::move(fd), Fd()});
    known = found;
  }
  return found;
}

Status Namespaces::find(NamespaceId id, NamespaceRef& found) const {
  const auto entry = known_.find(id);
  found = entry == known_.end() ? nullptr : entry->second.lock();
  if (found) return {};
  return {ENOENT, "network namespace inode://" + std::to_string(id.dev) + "/" + std::to_string(id.ino) +
                      " is not known: no client is connected from there, and no pin keeps it"};
}

Status Namespaces::find(const Fields& fields, NamespaceRef& found) const {
  if (!fields.has(kNsDev) && !fields.has(kNsIno)) {
    found = own_;
    return {};
  }
  if (Status status = fields.require({kNsDev, kNsIno}); !status.ok()) return status;
  return find({*fields.u64(kNsDev), *fields.u64(kNsIno)}, found);
}

Status Namespaces::pin(const std::string& id, const NamespaceRef& target) {
  const auto [entry, is_new] = pins_.emplace(id, target);
  if (is_new) ++pin_counts_[target->id];
  if (is_new || entry->second == target) return {};
  return {EEXIST, "pin " + id + " belongs to another network namespace; unpin it first"};
}

std::optional<NamespaceId> Namespaces::unpin(const std::string& id) {
  const auto found = pins_.find(id);
  if (found == pins_.end()) return std::nullopt;
  const NamespaceId target = found->second->id;
  pins_.erase(found);
  if (--pin_counts_.at(target) == 0) pin_counts_.erase(target);
  return target;
}

NamespaceVisit::NamespaceVisit(const Namespace& own, const Namespace& target) : own_(own) {
  if (setns(target.fd.get(), CLONE_NEWNET) != 0) {
    status_ = {errno, "cannot enter the network namespace: " + errno_text(errno)};
  }
}

NamespaceVisit::~NamespaceVisit() {
  if (setns(own_.fd.get(), CLONE_NEWNET) == 0) return;
  // INVARIANT: between handlers the process is in its own namespace. If it went on, it
  // would bind the node's sockets in the namespace of a workload.
  std::perror("nsm-dataplane: cannot return to the holder's network namespace");
  std::abort();
}

}  // namespace nsm::holder
