#include "cni/call.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "cni/json.h"

namespace nsm::cni {
namespace {

constexpr std::string_view kRequested = "networkservicemesh.io";
constexpr std::string_view kServed = "networkservicemesh.io/serve";
// By the kubelet, of every pod: api, file or http.
constexpr std::string_view kSource = "kubernetes.io/config.source";
constexpr std::size_t kMaxSourceBytes = 16;
constexpr std::size_t kMaxRunBytes = 64;  // a socket's path has 107 at most
constexpr std::size_t kMaxNamespaceBytes = 63;

char run_room[kMaxRunBytes];
char requested_room[kMaxAnnotationBytes];
char served_room[kMaxAnnotationBytes];

std::string_view variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? std::string_view() : value;
}

// Removes the part up to the first `separator` from the front of `rest`, and returns it without blanks round
// it.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t size = std::min(rest.find(separator), rest.size());
  std::string_view part(rest.data(), size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!part.empty() && is_blank(part.front())) part.remove_prefix(1);
  while (!part.empty() && is_blank(part.back())) part.remove_suffix(1);
  return part;
}

// CNI_ARGS: KEY=VALUE;KEY=VALUE
std::string_view argument(std::string_view arguments, std::string_view key) {
  while (!arguments.empty()) {
    std::string_view value = next_part(arguments, ';');
    if (next_part(value, '=') == key) return value;
  }
  return {};
}

std::optional<Fault> read_annotation(std::string_view annotations, std::string_view key, std::span<char> room,
                                     std::optional<std::string_view>& found) {
  const std::string_view value = member(annotations, key);
  if (value.empty()) return {};
  std::string_view text;
  switch (decode(value, room, text)) {
    case Decoded::kText:
      found = text;
      return {};
    case Decoded::kTooLong:
      return Fault{kTryLater, "an annotation of nsmesh at the pod is longer than 16384 bytes; shorten it"};
    default:
      return Fault{kBadContent, "an annotation of nsmesh at the pod is not a string"};
  }
}

// nsmd knows it by another uid, that of its image at the API server.
bool is_of_static_pod(std::string_view annotations) {
  char room[kMaxSourceBytes];
  std::string_view source;
  return decode(member(annotations, kSource), room, source) == Decoded::kText && source != "api";
}

bool has_value(const std::optional<std::string_view>& annotation) {
  return annotation && !annotation->empty();
}

bool is_gated(std::string_view run, std::string_view namespace_name) {
  const bool is_label = !namespace_name.empty() && namespace_name.size() <= kMaxNamespaceBytes &&
                        std::all_of(namespace_name.begin(), namespace_name.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                        });
  if (!is_label) return false;
  constexpr std::string_view kFolder = "/gated/";
  char path[kMaxRunBytes + kFolder.size() + kMaxNamespaceBytes + 1] = {};
  char* end = path;
  for (const std::string_view part : {run, kFolder, namespace_name}) {
    std::memcpy(end, part.data(), part.size());
    end += part.size();
  }
  return access(path, F_OK) == 0;
}

bool is_without_wait(std::string_view wire) {
  next_part(wire, '?');
  while (!wire.empty()) {
    if (next_part(wire, '&') == "wait=false") return true;
  }
  return false;
}

}  // namespace

Pod read_pod() {
  const std::string_view arguments = variable("CNI_ARGS");
  return {argument(arguments, "K8S_POD_UID"), argument(arguments, "K8S_POD_NAMESPACE"),
          argument(arguments, "K8S_POD_NAME"), variable("CNI_CONTAINERID"), getenv("CNI_NETNS")};
}

std::optional<Fault> read_configuration(std::string_view input, Configuration& configuration) {
  if (!is_json(input) || member(input, "type").empty())
    return Fault{kBadContent, "standard input is not a CNI configuration in JSON"};
  configuration.previous_result = member(input, "prevResult");
  if (const std::string_view run = member(input, "run"); !run.empty()) {
    const Decoded decoded = decode(run, run_room, configuration.run);
    const bool is_path = decoded == Decoded::kText && configuration.run.starts_with('/') &&
                         configuration.run.find('\0') == std::string_view::npos;
    if (!is_path) return Fault{kBadConfiguration, "\"run\" is not an absolute path of at most 64 bytes"};
  }
  const std::string_view annotations =
      member(member(input, "runtimeConfig"), "io.kubernetes.cri.pod-annotations");
  configuration.is_static = is_of_static_pod(annotations);
  auto fault = read_annotation(annotations, kRequested, requested_room, configuration.requested_services);
  if (!fault) fault = read_annotation(annotations, kServed, served_room, configuration.served_services);
  return fault;
}

bool needs_gate(const Pod& pod, const Configuration& configuration) {
  if (has_value(configuration.requested_services) || has_value(configuration.served_services)) return true;
  // An empty annotation of its own: the pod inherits none.
  return !configuration.requested_services && !configuration.is_static &&
         is_gated(configuration.run, pod.namespace_name);
}

bool starts_at_once(const Configuration& configuration) {
  if (!has_value(configuration.requested_services) || has_value(configuration.served_services)) return false;
  for (std::string_view wires = *configuration.requested_services; !wires.empty();) {
    const std::string_view wire = next_part(wires, ',');
    if (!wire.empty() && !is_without_wait(wire)) return false;
  }
  return true;
}

}  // namespace nsm::cni
