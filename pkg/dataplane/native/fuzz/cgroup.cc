// /proc/PID/cgroup, in which a process chooses the names below its own cgroup: whatever it writes
// there, it stays in its pod.
#include "holder/cgroup.h"

#include <algorithm>

#include "fuzzed-input.h"

using nsm::fuzz::require;
using nsm::holder::parse_cgroup;

namespace {

bool is_uid(std::string_view pod) {
  const bool has_length = pod.size() == 36 || pod.size() == 32;
  return has_length && pod.find_first_not_of("0123456789abcdef-") == pod.npos;
}

// The first line is the kubelet's root, the others are those of the file.
struct Input {
  std::string_view root, lines;
};

Input split(std::string_view text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  return {text.substr(0, end), text.substr(std::min(end + 1, text.size()))};
}

void check_own_names(std::string_view line, std::string_view root) {
  const nsm::holder::Cgroup own = parse_cgroup(line, root);
  if (own.pod.empty() || line.find('\n') != line.npos) return;
  constexpr std::string_view kOther = "/kubepods/pod11111111-2222-3333-4444-555555555555";
  const nsm::holder::Cgroup below = parse_cgroup(std::string(line) + std::string(kOther), root);
  require(below.pod == own.pod && !below.disputed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [root, lines] = split({reinterpret_cast<const char*>(data), size});
  const nsm::holder::Cgroup cgroup = parse_cgroup(lines, root);
  require(cgroup.pod.empty() || is_uid(cgroup.pod));
  require(!cgroup.disputed || !cgroup.pod.empty());
  require(lines.find(cgroup.path) != lines.npos);
  const std::string unit = nsm::holder::unit_of(cgroup.path);
  require(cgroup.path.starts_with(unit));
  check_own_names(lines, root);
  return 0;
}
