// What this machine offers to the engine, as reported in kHello.
#pragma once

#include <string>
#include <vector>

#include "core/aead.h"
#include "protocol/offloads.h"

namespace nsm::io {

using protocol::Offload;
using protocol::OffloadSet;

// Which of the wanted offloads are available; see protocol/offloads.h.
struct Offloads {
  bool udp_gso = false;
  bool udp_gro = false;
  bool tun_tso = false;  // wanted; the holder has set it on each device
  bool tun_uso = false;  // wanted; each device is asked whether it has it
  bool priority = false;
};

// Probes them with a socket of its own, so it is to be called before enter_sandbox().
Offloads probe_offloads(const OffloadSet& wanted) noexcept;

// The name=value strings of kFeature.
std::vector<std::string> describe_features(const Offloads& offloads, const AeadSuite& suite);

}  // namespace nsm::io
