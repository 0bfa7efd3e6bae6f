// Offloads: what makes the dataplane faster where the machine supports it. Each is
// probed at start, reported as a feature (name=on|off), and can be turned off with
// `--without NAME`.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nsm::protocol {

enum class Offload : std::uint8_t {
  tun_tso,   // TCP super-packets to and from TUN and TAP
  tun_uso,   // UDP super-packets, Linux 6.2
  udp_gso,   // one sendmsg for many datagrams (UDP_SEGMENT)
  udp_gro,   // one recvmsg for many datagrams (UDP_GRO)
  ipsec_mb,  // the ciphers of intel-ipsec-mb
  priority,  // the engine's threads are scheduled before the workloads'
  count
};
inline constexpr int kEngineNice = -15;  // nice value of the engine's data threads with Offload::priority
inline constexpr std::size_t kOffloads = static_cast<std::size_t>(Offload::count);
inline constexpr std::array<std::string_view, kOffloads> kOffloadNames = {"tun_tso", "tun_uso",  "udp_gso",
                                                                          "udp_gro", "ipsec_mb", "priority"};

// Contains all offloads until some are removed.
class OffloadSet {
 public:
  bool has(Offload offload) const noexcept { return !removed_[static_cast<std::size_t>(offload)]; }
  // False when there is no offload of this name.
  bool remove(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kOffloads; i++) {
      if (kOffloadNames[i] != name) continue;
      removed_.set(i);
      return true;
    }
    return false;
  }
  template <typename Visit>
  void each_removed(Visit&& visit) const {
    for (std::size_t i = 0; i < kOffloads; i++) {
      if (removed_[i]) visit(kOffloadNames[i]);
    }
  }

 private:
  std::bitset<kOffloads> removed_;
};

}  // namespace nsm::protocol
