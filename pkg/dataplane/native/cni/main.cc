// nsm-cni, a chained CNI plugin: a pod that asks for wires starts when they are up. It changes nothing
// itself, but tells nsmd of the pod, waits for its answer, and passes on the result of the plugin before it.
//
// INVARIANT: a pod that asks for no wires waits for nobody and cannot fail here, whatever state nsmd is in.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "cni/call.h"
#include "cni/clock.h"
#include "cni/gate.h"
#include "cni/json.h"

namespace nsm::cni {
namespace {

// A waiting call keeps the node's runtime from reading its configuration again, and after 30 s without that
// the kubelet takes the runtime for dead. So it ends long before, and the kubelet tries again.
constexpr std::int64_t kAddMs = 8000;
constexpr std::int64_t kDelMs = 100;  // also of a call that does not wait
constexpr std::size_t kMaxVersionBytes = 32;
constexpr std::string_view kNewest = "1.1.0";
constexpr std::string_view kVersions =
    R"({"cniVersion":"1.1.0","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]})"
    "\n";

char input[kMaxInputBytes];

bool print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool print_escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const char code[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    const bool is_plain = byte >= 0x20 && c != '"' && c != '\\';
    if (!print(is_plain ? std::string_view(&c, 1) : std::string_view(code, sizeof code))) return false;
  }
  return true;
}

// The error object of the CNI specification; `version` is the configuration's.
int fail(const Fault& fault, std::string_view version) {
  const char code[] = {static_cast<char>('0' + fault.code / 10), static_cast<char>('0' + fault.code % 10)};
  const std::string_view digits(fault.code < 10 ? code + 1 : code, fault.code < 10 ? 1 : 2);
  print(R"({"cniVersion":")") && print_escaped(version) && print(R"(","code":)") && print(digits) &&
      print(R"(,"msg":")") && print_escaped(fault.text) && print("\"}\n");
  return 1;
}

std::optional<Fault> read_input(const Deadline& deadline, std::string_view& text) {
  std::size_t size = 0;
  while (size < sizeof input) {
    pollfd readable{STDIN_FILENO, POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(deadline.left_ms())) <= 0)
      return Fault{kIoFailure, "standard input did not come to its end in time"};
    const ssize_t got = read(STDIN_FILENO, input + size, sizeof input - size);
    if (got < 0) return Fault{kIoFailure, "cannot read standard input"};
    if (got == 0) {
      text = {input, size};
      return {};
    }
    size += static_cast<std::size_t>(got);
  }
  return Fault{kBadContent, "the configuration on standard input is longer than 2 MiB"};
}

std::string_view version_of(std::string_view text) {
  static char room[kMaxVersionBytes];
  std::string_view version;
  const bool is_text = is_json(text) && decode(member(text, "cniVersion"), room, version) == Decoded::kText;
  return is_text && !version.empty() ? version : kNewest;
}

std::optional<Fault> pass_gate(const Configuration& configuration, const Deadline& deadline) {
  const Pod pod = read_pod();
  if (!needs_gate(pod, configuration)) return {};
  if (!starts_at_once(configuration)) return tell(Verb::kAdd, pod, configuration, deadline);
  tell(Verb::kAdd, pod, configuration, deadline.within(kDelMs));
  return {};
}

int add() {
  const Deadline deadline(kAddMs);
  std::string_view text;
  Configuration configuration;
  auto fault = read_input(deadline, text);
  if (!fault) fault = read_configuration(text, configuration);
  if (!fault && configuration.previous_result.empty())
    fault = Fault{kBadConfiguration, "there is no prevResult: nsm-cni must come after another plugin"};
  if (!fault) fault = pass_gate(configuration, deadline);
  if (fault) return fail(*fault, version_of(text));
  return print(configuration.previous_result) && print("\n") ? 0 : 1;
}

// A pod must always be able to end. What nsmd does not hear now, it sees when it looks.
int del() {
  const Deadline deadline(kDelMs);
  std::string_view text;
  Configuration configuration;
  if (read_input(deadline, text) || read_configuration(text, configuration)) return 0;
  const Pod pod = read_pod();
  if (needs_gate(pod, configuration)) tell(Verb::kDel, pod, configuration, deadline);
  return 0;
}

int run() {
  const char* command = getenv("CNI_COMMAND");
  const std::string_view verb = command == nullptr ? "" : command;
  if (verb == "ADD") return add();
  if (verb == "DEL") return del();
  if (verb == "CHECK" || verb == "GC" || verb == "STATUS") return 0;
  if (verb == "VERSION") return print(kVersions) ? 0 : 1;
  return fail({kBadEnvironment,
               "CNI_COMMAND is none of ADD, DEL, CHECK, GC, STATUS and VERSION; nsm-cni is run by a "
               "container runtime"},
              kNewest);
}

}  // namespace
}  // namespace nsm::cni

int main(int, char**) { return nsm::cni::run(); }
