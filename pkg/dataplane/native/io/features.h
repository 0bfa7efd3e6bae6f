// What this machine offers the engine, as the name=value strings of kHello.
#pragma once

#include <string>
#include <vector>

namespace nsm::io {

struct Offloads {
  bool udp_gso = false;  // one sendmsg for many datagrams (UDP_SEGMENT)
  bool udp_gro = false;  // one recvmsg for many datagrams (UDP_GRO)
};

// Tries both on a socket of its own: to be called before the sandbox closes.
Offloads probe_offloads();

std::vector<std::string> describe_features(const Offloads& offloads);

}  // namespace nsm::io
