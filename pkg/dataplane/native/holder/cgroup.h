// What /proc/PID/cgroup says about a process: its cgroup, and the pod that it belongs to.
//
//     <kubelet's root>/kubepods[.slice]/[burstable|besteffort/]pod<uid>/<container>/...
//
// The path is read from its start, and the first pod in it counts. A process may make cgroups
// below its own and name them after another pod, but it cannot change what lies above.
#pragma once

#include <string>
#include <string_view>

namespace nsm::holder {

struct Cgroup {
  std::string path;       // v2 path, or the most specific v1 path; empty: none
  std::string pod;        // uid of the pod; empty: none
  bool disputed = false;  // the hierarchies name different pods
};

// `lines` are those of /proc/PID/cgroup: "hierarchy:controllers:path".
// `kubelet_root` is the cgroupRoot of the kubelet, "/" by default.
Cgroup parse_cgroup(std::string_view lines, std::string_view kubelet_root);

// The systemd unit or the container of a path: its outermost .service or .scope, or else its first two
// components.
std::string unit_of(std::string_view path);

}  // namespace nsm::holder
