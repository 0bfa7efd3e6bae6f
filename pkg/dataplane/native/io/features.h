// What this machine offers the engine, for kHello.
#pragma once

#include <string>
#include <vector>

#include "core/aead.h"
#include "protocol/offloads.h"

namespace nsm::io {

using protocol::Offload;
using protocol::OffloadSet;

// Which of the wanted ones the kernel grants; see protocol/offloads.h.
struct Offloads {
  bool udp_gso = false;
  bool udp_gro = false;
  bool tun_tso = false;  // the holder has set it
  bool tun_uso = false;  // wanted: each device is asked
  bool priority = false;
};

// Tries them, on a socket of its own: to be called before the sandbox closes.
Offloads probe_offloads(const OffloadSet& wanted) noexcept;

// The name=value strings of kFeature.
std::vector<std::string> describe_features(const Offloads& offloads, const AeadSuite& suite);

}  // namespace nsm::io
