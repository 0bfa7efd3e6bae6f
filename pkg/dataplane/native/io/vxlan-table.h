// The vxlan ports of all underlays, by underlay and VNI. Owner: the ingress thread.
#pragma once

#include <unordered_map>

#include "io/ingress-port.h"

namespace nsm::io {

class VxlanTable {
 public:
  // One underlay has a VNI once: the control thread refuses a second port.
  void add(std::uint32_t underlay, VxlanIngress& port) { ports_[key(underlay, port.vni)] = &port; }
  void remove(std::uint32_t underlay, const VxlanIngress& port) noexcept {
    ports_.erase(key(underlay, port.vni));
  }

  // Gives the frame inside `datagram` to the writer, for its device, or counts why not.
  void deliver(const IngressUnderlay& underlay, Bytes datagram, const Endpoint& from,
               const IngressParts& parts) noexcept;

 private:
  static std::uint64_t key(std::uint32_t underlay, std::uint32_t vni) noexcept {
    return std::uint64_t{underlay} << 32 | vni;
  }
  std::unordered_map<std::uint64_t, VxlanIngress*> ports_;
};

}  // namespace nsm::io
