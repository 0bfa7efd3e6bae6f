#include "holder/options.h"

#include <sys/un.h>

#include <charconv>
#include <string_view>

namespace nsm::holder {
namespace {

// Each parser returns what is wrong with `value`; empty: nothing.
using Parse = std::string (*)(Options& options, std::string_view value);

constexpr const char* kCniName = "cni";  // by which nsmd tells the connections of nsm-cni from workloads'

std::string parse_path(std::string_view value, std::string& path) {
  if (value.empty() || value.front() != '/') return "is not an absolute path";
  if (value.size() >= sizeof sockaddr_un{}.sun_path) return "is longer than 107 bytes";
  path = value;
  return "";
}

template <typename Number>
std::string parse_number(std::string_view value, Number& number) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc{} && end == value.data() + value.size() ? "" : "is not a number";
}

std::string parse_listen(Options& options, std::string_view value) {
  const std::size_t equals = value.find('=');
  if (equals == value.npos || equals == 0 || equals > 64) return "is not NAME=PATH";
  ListenSocket socket{std::string(value.substr(0, equals)), "", Clients::kEveryone};
  if (socket.name == kCniName) return "has the name of the --cni socket";
  std::string wrong = parse_path(value.substr(equals + 1), socket.path);
  if (wrong.empty()) options.listen.push_back(std::move(socket));
  return wrong;
}

std::string parse_cni(Options& options, std::string_view value) {
  ListenSocket socket{kCniName, "", Clients::kNodesRoot};
  std::string wrong = parse_path(value, socket.path);
  if (wrong.empty()) options.listen.push_back(std::move(socket));
  return wrong;
}

std::string parse_without(Options& options, std::string_view value) {
  if (options.offloads.remove(value)) return "";
  std::string wrong = "is not one of";
  for (const std::string_view name : protocol::kOffloadNames) wrong += " " + std::string(name);
  return wrong;
}

struct Option {
  std::string_view name;
  std::string_view argument;  // empty: a switch
  std::string_view help;
  Parse parse;
};

constexpr Option kOptions[] = {
    {"--control", "PATH", "socket on which nsmd controls the dataplane (required)",
     [](Options& o, std::string_view v) { return parse_path(v, o.control); }},
    {"--listen", "NAME=PATH", "socket to which workloads connect; may be repeated", parse_listen},
    {"--cni", "PATH", "socket to which nsm-cni connects, as root of the node, when a pod starts or ends",
     parse_cni},
    {"--deliver", "PATH", "nsmd's socket, to which workloads' connections are relayed",
     [](Options& o, std::string_view v) { return parse_path(v, o.deliver); }},
    {"--dial", "PATH", "socket on which nsmd asks for connections to endpoints",
     [](Options& o, std::string_view v) { return parse_path(v, o.dial); }},
    {"--engine-uid", "N", "user id and group id of the engine (default 65533)",
     [](Options& o, std::string_view v) { return parse_number(v, o.engine_uid); }},
    {"--daemon-uid", "N", "user id and group id of nsmd (default 65532)",
     [](Options& o, std::string_view v) { return parse_number(v, o.daemon_uid); }},
    {"--max-connections-per-namespace", "N", "limit for workloads; the node's root is exempt (default 64)",
     [](Options& o, std::string_view v) { return parse_number(v, o.max_connections_per_namespace); }},
    {"--max-connections-per-account", "N",
     "limit for a pod, a user or a container of root; the node's root is exempt (default 512)",
     [](Options& o, std::string_view v) { return parse_number(v, o.max_connections_per_account); }},
    {"--kubelet-cgroup", "PATH", "the kubelet's cgroupRoot, below which the cgroups of pods are (default /)",
     [](Options& o, std::string_view v) { return parse_path(v, o.kubelet_cgroup); }},
    {"--without", "NAME", "do not use an offload, such as udp_gso; may be repeated", parse_without},
    {"--allow-own-namespace", "", "also serve ports and endpoints in the holder's own network namespace",
     [](Options& o, std::string_view) { return o.allow_own_namespace = true, std::string(); }},
    {"--help", "", "print this help",
     [](Options& o, std::string_view) { return o.help = true, std::string(); }},
};

const Option* find_option(std::string_view name) {
  for (const Option& option : kOptions) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

void check_together(const Options& options, std::vector<std::string>& wrong) {
  if (options.help) return;
  if (options.control.empty()) wrong.push_back("--control is required");
  if (!options.listen.empty() && options.deliver.empty())
    wrong.push_back("--listen and --cni need --deliver");
  if (options.engine_uid == 0)
    wrong.push_back("--engine-uid must not be 0: the engine runs without privileges");
}

}  // namespace

std::vector<std::string> parse_options(int argc, char** argv, Options& options) {
  std::vector<std::string> wrong;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const Option* option = find_option(name);
    if (option == nullptr) {
      wrong.push_back("unknown option '" + name + "'; see --help");
    } else if (option->argument.empty()) {
      option->parse(options, "");
    } else if (++i == argc) {
      wrong.push_back(name + " needs " + std::string(option->argument));
    } else if (const std::string why = option->parse(options, argv[i]); !why.empty()) {
      wrong.push_back(name + ": '" + argv[i] + "' " + why);
    }
  }
  check_together(options, wrong);
  return wrong;
}

std::string help_text() {
  std::string text =
      "Usage: nsm-dataplane hold [OPTION]...\n"
      "Runs the holder: keeps the descriptors of a node's wires, carries nsmd's netlink messages to the\n"
      "kernel, attests local clients, and supervises the engine.\n\n";
  for (const Option& option : kOptions) {
    std::string left = "  " + std::string(option.name) + " " + std::string(option.argument);
    left.resize(38, ' ');
    text += left + std::string(option.help) + "\n";
  }
  return text;
}

}  // namespace nsm::holder
