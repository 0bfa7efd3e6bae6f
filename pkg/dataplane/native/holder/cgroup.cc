#include "holder/cgroup.h"

#include <algorithm>

namespace nsm::holder {
namespace {

constexpr std::size_t kUuidChars = 36;
constexpr std::size_t kHashChars = 32;  // uids of static pods

// Removes the first component from `path`; empty: there is none.
std::string_view next_component(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view component = path.substr(0, path.find('/'));
  path.remove_prefix(component.size());
  return component;
}

bool skip(std::string_view& path, std::string_view prefix) {
  while (!prefix.empty()) {
    const std::string_view wanted = next_component(prefix);
    if (!wanted.empty() && next_component(path) != wanted) return false;
  }
  return true;
}

// cgroupfs: "kubepods". systemd: "kubepods.slice", or "<slice>-kubepods.slice" below another slice.
bool is_pods_root(std::string_view component) {
  return component == "kubepods" || component == "kubepods.slice" || component.ends_with("-kubepods.slice");
}

bool is_hex_or_dash(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'; }

// cgroupfs: "pod<uid>". systemd: "...-pod<uid with _ for ->.slice".
std::string pod_uid(std::string_view component) {
  constexpr std::string_view kSlice = ".slice", kPod = "pod";
  std::size_t start = 0;
  if (component.ends_with(kSlice)) {
    component.remove_suffix(kSlice.size());
    start = component.rfind("-pod");
    if (start == component.npos) return "";
    ++start;
  }
  component.remove_prefix(start);
  if (!component.starts_with(kPod)) return "";
  std::string uid(component.substr(kPod.size()));
  std::replace(uid.begin(), uid.end(), '_', '-');
  const bool has_length = uid.size() == kUuidChars || uid.size() == kHashChars;
  return has_length && std::all_of(uid.begin(), uid.end(), is_hex_or_dash) ? uid : "";
}

std::string pod_of(std::string_view path, std::string_view kubelet_root) {
  if (!skip(path, kubelet_root)) return "";
  std::string_view component = next_component(path);
  if (component == "kubelet.slice" || component == "kubelet") component = next_component(path);  // kind
  if (!is_pods_root(component)) return "";
  std::string uid = pod_uid(next_component(path));
  return uid.empty() ? pod_uid(next_component(path)) : uid;  // below its QoS class
}

}  // namespace

Cgroup parse_cgroup(std::string_view lines, std::string_view kubelet_root) {
  Cgroup cgroup;
  std::string_view v2, v1;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::size_t start = line.find('/');
    if (start == line.npos) continue;
    const std::string_view path = line.substr(start);
    std::string_view& best = line.starts_with("0::") ? v2 : v1;
    if (path.size() > best.size()) best = path;
    const std::string pod = pod_of(path, kubelet_root);
    cgroup.disputed |= !pod.empty() && !cgroup.pod.empty() && pod != cgroup.pod;
    if (cgroup.pod.empty()) cgroup.pod = pod;
  }
  // When both are mounted, the v2 path may be an unused root.
  cgroup.path = v2.size() > 1 || v1.size() <= 1 ? v2 : v1;
  return cgroup;
}

std::string unit_of(std::string_view path) {
  const std::string_view whole = path;
  for (std::string_view component; !(component = next_component(path)).empty();) {
    if (component.ends_with(".service") || component.ends_with(".scope"))
      return std::string(whole.substr(0, whole.size() - path.size()));
  }
  path = whole;
  next_component(path);
  next_component(path);
  return std::string(whole.substr(0, whole.size() - path.size()));
}

}  // namespace nsm::holder
