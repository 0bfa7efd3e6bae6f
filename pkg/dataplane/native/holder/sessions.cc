#include "holder/sessions.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>

namespace nsm::holder {

using namespace protocol;

namespace {

// Only descriptors that can name something but not be used: namespaces, O_PATH files, sockets.
bool may_keep(const Fd& fd, const struct stat& info) {
  struct statfs filesystem;
  return (fcntl(fd.get(), F_GETFL) & O_PATH) != 0 || S_ISSOCK(info.st_mode) ||
         (fstatfs(fd.get(), &filesystem) == 0 && filesystem.f_type == NSFS_MAGIC);
}

}  // namespace

Status Sessions::open(int socket, std::string listener, Session*& session) {
  Attestation peer;
  if (Status status = attestor_.attest(socket, peer); !status.ok()) return status;
  NamespaceRef ns = namespaces_.add(std::move(peer.network_namespace));
  if (!ns) return {EPERM, "cannot determine the peer's network namespace"};
  const std::uint64_t id = ++last_id_;
  session = &sessions_[id];
  session->id = id;
  session->peer = std::move(peer);
  session->ns = std::move(ns);
  session->listener = std::move(listener);
  ++by_account_[session->peer.account];
  return {};
}

void Sessions::start(Session& session, Relay::Ends ends, View first) {
  const std::uint64_t id = session.id;
  session.relay = std::make_unique<Relay>(
      loop_, std::move(ends),
      Relay::Listener{[this, &session](Received& message) { keep_descriptors(session, message); },
                      [this, id] { loop_.defer([this, id] { close(id); }); }});
  session.relay->start(first);
}

void Sessions::close(std::uint64_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const auto account = by_account_.find(found->second.peer.account);
  if (--account->second == 0) by_account_.erase(account);
  std::vector<NamespaceId> left{found->second.ns->id};
  for (const NamespaceRef& named : found->second.named) left.push_back(named->id);
  sessions_.erase(found);
  on_closed(id, left);
}

Session* Sessions::find(std::uint64_t id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

std::size_t Sessions::count_from(const Namespace& ns) const {
  return std::count_if(sessions_.begin(), sessions_.end(),
                       [&ns](const auto& entry) { return entry.second.ns.get() == &ns; });
}

bool Sessions::has_client_in(NamespaceId id) const {
  return std::any_of(sessions_.begin(), sessions_.end(), [&id](const auto& entry) {
    const auto is_it = [&id](const NamespaceRef& each) { return each->id == id; };
    const Session& session = entry.second;
    return is_it(session.ns) || std::any_of(session.named.begin(), session.named.end(), is_it);
  });
}

std::size_t Sessions::count_of(const std::string& account) const {
  const auto found = by_account_.find(account);
  return found == by_account_.end() ? 0 : found->second;
}

int Sessions::find_descriptor(NamespaceId inode) const {
  for (const auto& [id, session] : sessions_) {
    const auto found = session.descriptors.find(inode);
    if (found != session.descriptors.end()) return found->second.get();
  }
  return -1;
}

void Sessions::keep_descriptors(Session& session, Received& message) {
  if (message.truncated)
    return counters_.add(Count::descriptors_truncated);  // the descriptors in it are closed
  for (Fd& fd : message.fds) {
    struct stat info;
    const bool full = session.descriptors.size() >= kMaxDescriptors;
    if (full || fstat(fd.get(), &info) != 0 || !may_keep(fd, info)) {
      counters_.add(Count::descriptors_refused);
    } else if (const auto [kept, is_new] = session.descriptors.try_emplace(namespace_id(info), std::move(fd));
               is_new) {
      counters_.add(Count::descriptors_kept);
      if (session.may_name_namespaces) make_known(session, kept->second);
    }
  }
}

void Sessions::make_known(Session& session, const Fd& passed) {
  if (ioctl(passed.get(), NS_GET_NSTYPE) != CLONE_NEWNET) return;
  if (NamespaceRef named = namespaces_.add(passed.duplicate())) session.named.push_back(std::move(named));
}

Bytes preface(const Session& session, std::uint32_t sequence) {
  const Attestation& peer = session.peer;
  MessageBuilder message(kPreface, 0, sequence);
  message.u32(kVersionAttr, kPrefaceVersion);
  if (!session.listener.empty()) message.text(kListener, session.listener);
  return message.u64(kConnection, session.id)
      .u32(kPid, peer.pid)
      .u32(kUid, peer.uid)
      .u32(kGid, peer.gid)
      .u64(kNsDev, session.ns->id.dev)
      .u64(kNsIno, session.ns->id.ino)
      .text(kCgroup, peer.cgroup)
      .u64(kPidNs, peer.pid_namespace)
      .u64(kUserNs, peer.user_namespace)
      .u64(kMountNs, peer.mount_namespace)
      .text(kPod, peer.pod)
      .text(kAccount, peer.account)
      .u8(kNodesOwn, peer.is_nodes_own)
      .take();
}

}  // namespace nsm::holder
