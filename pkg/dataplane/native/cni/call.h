// One call of the plugin, as the runtime makes it (CNI specification 1.1, section 2): the environment says
// what to do for which container, and standard input has the configuration as JSON.
#pragma once

#include <optional>
#include <string_view>

namespace nsm::cni {

// The numbers of the CNI specification.
enum Code : int {
  kBadEnvironment = 4,
  kIoFailure = 5,
  kBadContent = 6,
  kBadConfiguration = 7,
  kTryLater = 11
};

struct Fault {
  Code code;
  std::string_view text;
};

// A pod's annotations have 256 KiB at most, and in JSON six times as much.
inline constexpr std::size_t kMaxInputBytes = 2 * 1024 * 1024;
inline constexpr std::size_t kMaxAnnotationBytes = 16 * 1024;   // as in the protocol
inline constexpr std::string_view kDefaultRun = "/run/nsmesh";  // where the holder's sockets are

// Of the container that CNI_CONTAINERID, CNI_NETNS and CNI_ARGS name; empty: not said.
struct Pod {
  std::string_view uid, namespace_name, name;
  std::string_view sandbox;     // container id of its sandbox
  const char* netns = nullptr;  // path of its network namespace
};

Pod read_pod();

struct Configuration {
  std::string_view run = kDefaultRun;
  std::string_view previous_result;  // the bytes as they came; empty: none
  // The pod's own annotations, if the runtime passed them.
  std::optional<std::string_view> requested_services;  // networkservicemesh.io
  std::optional<std::string_view> served_services;     // networkservicemesh.io/serve
  bool is_static = false;  // the kubelet runs the pod from a file: it inherits nothing
};

// The configuration refers to memory of this module, so there can be one.
std::optional<Fault> read_configuration(std::string_view input, Configuration& configuration);

// Whether the pod may need wires: by its own annotations, or because its namespace's pods inherit some, which
// nsmd says by a file of the namespace's name in the folder `gated`.
bool needs_gate(const Pod& pod, const Configuration& configuration);

// Whether the pod starts before its wires are up: each of them is asked for with wait=false.
bool starts_at_once(const Configuration& configuration);

}  // namespace nsm::cni
