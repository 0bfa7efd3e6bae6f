// What this machine offers the engine, for kHello.
#pragma once

#include <string>
#include <vector>

#include "core/aead.h"

namespace nsm::io {

struct Offloads {
  bool udp_gso = false;  // one sendmsg for many datagrams (UDP_SEGMENT)
  bool udp_gro = false;  // one recvmsg for many datagrams (UDP_GRO)
};

// Tries both on a socket of its own: to be called before the sandbox closes.
Offloads probe_offloads() noexcept;

// The name=value strings of kFeature.
std::vector<std::string> describe_features(const Offloads& offloads, const AeadSuite& suite);

}  // namespace nsm::io
