// The descriptors that the engine works with and the holder keeps: TUN and TAP
// devices in workloads' namespaces, and the node's UDP sockets. A device lives
// as long as its descriptor: so the engine may die, the interface stays.
#pragma once

#include <netinet/in.h>

#include <string>
#include <vector>

#include "holder/namespaces.h"
#include "protocol/offloads.h"

namespace nsm::holder {

struct DeviceSpec {
  std::uint8_t kind;  // protocol::kTun or kTap
  NamespaceId ns;
  std::string name;
  bool operator==(const DeviceSpec&) const = default;
};

struct SocketSpec {
  std::uint8_t family;
  std::vector<std::uint8_t> address;
  std::uint16_t port;
  bool operator==(const SocketSpec&) const = default;
};

// What segmentation the kernel's TUN takes from us, of what is wanted; found out once, in a namespace of its
// own.
struct TunOffloads {
  bool tso = false;
  bool uso = false;
};
TunOffloads probe_tun_offloads(const Namespaces& namespaces, const protocol::OffloadSet& wanted);

// Makes the interface, with `offloads`. EEXIST when the name is taken.
Status open_device(const Namespaces& namespaces, const DeviceSpec& spec, const TunOffloads& offloads,
                   Fd& device);

// Whether the interface of `device` is still there, under this name and in this namespace.
bool is_device(const Fd& device, const DeviceSpec& spec);

// 0 when `name` does not exist in `target`.
std::uint32_t interface_index(const Namespaces& namespaces, const Namespace& target, const std::string& name);

// Makes a bound, non-blocking UDP socket in the holder's own namespace.
Status open_udp(const SocketSpec& spec, Fd& socket);
std::uint16_t bound_port(const Fd& socket);

}  // namespace nsm::holder
