// The network side as the ingress thread sees it: underlays that datagrams come
// from, and the ports that they are for.
//
// Memory belongs to the control thread; the ingress thread alone touches it from
// the first command about it until Channel::settle() after the last.
#pragma once

#include <atomic>
#include <memory>

#include "core/activity.h"
#include "core/device.h"
#include "core/path-allowance.h"
#include "io/counters.h"
#include "io/inner-rules.h"
#include "io/note.h"
#include "io/tun-writer.h"

namespace nsm::io {

// Both kinds of network port are joined to a device in the same way.
struct IngressPort {
  Counters* counters = nullptr;
  IngressDevice* device = nullptr;  // the other end of its wire; absent: packets are dropped
};

struct WireguardIngress : IngressPort {
  std::uint64_t tag = 0;       // names it in notes to the control thread
  std::uint32_t underlay = 0;  // IngressUnderlay::number
  Activity* activity = nullptr;
  std::atomic<bool>* hold = nullptr;  // see WireguardEgress::Parts
  std::unique_ptr<InnerRules> rules;
  const std::atomic<std::uint32_t>* path_mtu = nullptr;  // see WireguardEgress::Parts
  Endpoint endpoint;                                     // where packets came from last
  bool roaming = false;                                  // tell the control thread when that changes
  PathAllowance path_messages;
};

struct VxlanIngress : IngressPort {
  std::uint32_t vni = 0;
  Endpoint remote;  // frames are taken from this address, whatever the port
  std::uint32_t mtu_bytes = 65535;
};

struct IngressUnderlay {
  int fd = -1;
  std::uint32_t number = 0;          // names it in notes to the control thread
  std::unique_ptr<Mac1Filter> mac1;  // absent: a VXLAN underlay
};

struct IngressParts {
  Counters& engine;  // what belongs to no port
  Notes& notes;
  TunWriter& writer;
};

}  // namespace nsm::io
