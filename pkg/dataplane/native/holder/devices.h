// The descriptors that the holder keeps for the engine: TUN and TAP devices in the
// workloads' namespaces, and the node's UDP sockets. A device exists as long as its
// descriptor is open, so the interface survives the engine.
#pragma once

#include <string>

#include "core/socket-address.h"
#include "holder/namespaces.h"
#include "protocol/offloads.h"

namespace nsm::holder {

struct DeviceSpec {
  std::uint8_t kind;  // protocol::kTun or kTap
  NamespaceId ns;
  std::string name;
  bool operator==(const DeviceSpec&) const = default;
};

// Which of the wanted segmentation offloads the kernel's TUN driver supports. Probed
// once, with a device in a namespace made for that.
struct TunOffloads {
  bool tso = false;
  bool uso = false;
};
TunOffloads probe_tun_offloads(const Namespaces& namespaces, const protocol::OffloadSet& wanted);

// Creates the interface. EEXIST: the name is taken.
Status open_device(const Namespaces& namespaces, const DeviceSpec& spec, const TunOffloads& offloads,
                   Fd& device);

// Whether the interface of `device` still exists, with this name and in this namespace.
bool is_device(const Fd& device, const DeviceSpec& spec);

// The ifindex of `name` in `target`; 0: there is no such interface.
std::uint32_t interface_index(const Namespaces& namespaces, const Namespace& target, const std::string& name);

// Opens a non-blocking UDP socket in the holder's own namespace and binds it.
Status open_udp(const SocketAddress& address, Fd& socket);
// The same where `former`, a socket of ours that is about to go, may have the port at another address.
Status open_udp_beside(const Fd& former, const SocketAddress& address, Fd& socket);

}  // namespace nsm::holder
