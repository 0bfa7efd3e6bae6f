#include "holder/pod-namespace.h"

#include <errno.h>

#include <utility>

#include "holder/cgroup.h"
#include "holder/processes.h"

namespace nsm::holder {
namespace {

class Search {
 public:
  explicit Search(const PodQuery& query) : query_(query) {}

  void visit(pid_t pid) {
    // Most processes are of other pods, and end here.
    if (parse_cgroup(read_proc(std::to_string(pid), "cgroup"), query_.kubelet_root).pod == query_.pod)
      consider(pid);
  }

  Status take(Fd& found) {
    found = std::move(oldest_);
    if (found) return {};
    const std::string pod = "pod " + query_.pod;
    if (is_disputed_) return {EPERM, pod + " has a process whose cgroups belong to different pods"};
    if (is_in_nodes_own_) return {EPERM, pod + " is in the node's own network namespace (hostNetwork)"};
    return {ENOENT, pod + " has no process on this node below the cgroup " + query_.kubelet_root +
                        " (--kubelet-cgroup)"};
  }

 private:
  void consider(pid_t pid) {
    const std::string process = std::to_string(pid);
    const Fd pidfd = open_pidfd(pid);
    if (!pidfd) return;
    const Cgroup cgroup = parse_cgroup(read_proc(process, "cgroup"), query_.kubelet_root);
    const std::uint64_t start = start_of(read_proc(process, "stat"));
    Fd ns = open_network_namespace(pidfd, pid);
    struct stat info;
    // Crash: if it has ended meanwhile, what we have read may be another process's.
    if (!ns || fstat(ns.get(), &info) != 0 || !is_alive(pidfd) || cgroup.pod != query_.pod) return;
    is_disputed_ |= cgroup.disputed;
    const bool is_nodes_own = namespace_id(info) == query_.nodes_own;
    is_in_nodes_own_ |= is_nodes_own;
    const std::pair age(start, pid);
    if (cgroup.disputed || is_nodes_own || (oldest_ && age > age_)) return;
    oldest_ = std::move(ns);
    age_ = age;
  }

  const PodQuery& query_;
  Fd oldest_;
  std::pair<std::uint64_t, pid_t> age_;
  bool is_disputed_ = false;
  bool is_in_nodes_own_ = false;
};

}  // namespace

Status find_pod_namespace(const PodQuery& query, Fd& found) {
  Search search(query);
  const bool is_read = each_process([&search](pid_t pid) { return search.visit(pid), true; });
  return is_read ? search.take(found) : Status{EIO, "cannot read /proc; mount it"};
}

}  // namespace nsm::holder
