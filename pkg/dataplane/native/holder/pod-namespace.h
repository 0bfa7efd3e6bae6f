// The network namespace of a pod that runs already: that of its oldest process outside of the node's own
// network namespace. Which processes are the pod's is told by their cgroups (cgroup.h), which no process
// chooses. The oldest one is the sandbox's own; younger ones may have entered other namespaces. A container
// monitor may be older, but it is in the node's namespace.
#pragma once

#include "holder/namespaces.h"

namespace nsm::holder {

struct PodQuery {
  std::string pod;           // uid
  std::string kubelet_root;  // see cgroup.h
  NamespaceId nodes_own;
};

// Reads all of /proc, which takes some 20 ms for a thousand processes. Touches nothing but its arguments.
// ENOENT: there is no process of the pod. EPERM: all of them are in the node's own network namespace, or the
// cgroups of one name another pod besides.
Status find_pod_namespace(const PodQuery& query, Fd& found);

}  // namespace nsm::holder
