// The kinds of ports and of underlays: the one list that Ports and Underlays go through.
// To add a kind is to add it here (CONTRIBUTING.md, "Add a port kind").
#pragma once

#include <errno.h>

#include "core/saved-state.h"
#include "io/control/device-port.h"
#include "io/control/underlay.h"

namespace nsm::io {

class Underlays;

// What ports are made of.
struct PortParts {
  Underlays& underlays;
  SavedState& state;
  const DevicePort::Parts& devices;
  std::uint64_t tag;  // unique for the life of the engine
};

using MadePort = std::unique_ptr<Port>;
using MadeUnderlay = std::unique_ptr<Underlay>;

// Each reads its kind's attributes strictly. A check has no effect; a port is only made after it.
protocol::Status check_device_port(protocol::View attributes);
protocol::Status make_device_port(protocol::View attributes, Fd device, const PortParts& parts,
                                  MadePort& made);

protocol::Status check_wireguard_port(protocol::View attributes);
protocol::Status make_wireguard_port(protocol::View attributes, Fd, const PortParts& parts, MadePort& made);
MadeUnderlay make_wireguard_underlay(const protocol::Fields& fields, Fd socket, const Underlay::Place& place);

protocol::Status check_vxlan_port(protocol::View attributes);
protocol::Status make_vxlan_port(protocol::View attributes, Fd, const PortParts& parts, MadePort& made);
MadeUnderlay make_vxlan_underlay(const protocol::Fields& fields, Fd socket, const Underlay::Place& place);

struct KindOfPort {
  protocol::PortKind number;
  const char* name;
  protocol::Status (*check)(protocol::View attributes);
  protocol::Status (*make)(protocol::View attributes, Fd device, const PortParts& parts, MadePort& made);
};
inline constexpr KindOfPort kPortKinds[] = {
    {protocol::kTun, "tun", check_device_port, make_device_port},
    {protocol::kTap, "tap", check_device_port, make_device_port},
    {protocol::kWireguard, "wireguard", check_wireguard_port, make_wireguard_port},
    {protocol::kVxlan, "vxlan", check_vxlan_port, make_vxlan_port},
};

struct KindOfUnderlay {
  protocol::UnderlayKind number;
  const char* name;
  bool has_key;  // kPrivateKey is required
  MadeUnderlay (*make)(const protocol::Fields& fields, Fd socket, const Underlay::Place& place);
};
inline constexpr KindOfUnderlay kUnderlayKinds[] = {
    {protocol::kUnderlayWireguard, "wireguard", true, make_wireguard_underlay},
    {protocol::kUnderlayVxlan, "vxlan", false, make_vxlan_underlay},
};

// The entry with this number; absent: the kind is unknown.
template <typename Kind, std::size_t count>
constexpr const Kind* find_kind(const Kind (&kinds)[count], std::uint8_t number) noexcept {
  for (const Kind& kind : kinds) {
    if (kind.number == number) return &kind;
  }
  return nullptr;
}

// For a number without an entry: "the port kind is unknown; known are tun (1), ...".
template <typename Kind, std::size_t count>
protocol::Status unknown_kind(const char* what, const Kind (&kinds)[count]) {
  std::string text = std::string("the ") + what + " kind is unknown; known are ";
  for (const Kind& kind : kinds) {
    if (&kind != kinds) text += ", ";
    text += std::string(kind.name) + " (" + std::to_string(kind.number) + ")";
  }
  return {EOPNOTSUPP, text};
}

}  // namespace nsm::io
