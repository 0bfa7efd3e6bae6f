// The options of `nsm-dataplane hold`. One table gives both the parser and --help.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "protocol/offloads.h"

namespace nsm::holder {

// Whom a socket is for.
enum class Clients { kEveryone, kNodesRoot };

struct ListenSocket {
  std::string name;
  std::string path;
  Clients clients = Clients::kEveryone;
};

struct Options {
  std::string control;
  std::vector<ListenSocket> listen;
  std::string deliver;
  std::string dial;
  std::string kubelet_cgroup = "/";
  uid_t engine_uid = 65533;
  uid_t daemon_uid = 65532;
  unsigned max_connections_per_namespace = 64;
  unsigned max_connections_per_account = 512;
  protocol::OffloadSet offloads;
  bool allow_own_namespace = false;
  bool help = false;
};

// Reads the command line into `options`. Returns all its mistakes, one sentence each.
std::vector<std::string> parse_options(int argc, char** argv, Options& options);

std::string help_text();

}  // namespace nsm::holder
