// What happened to packets, by reason. A port is seen from the engine: rx is what
// came in from its device or network, tx what went out of it. The engine itself
// counts what belongs to no port.
//
// One writer per counter: of a tun or tap port the egress thread counts rx and the
// ingress thread tx, of wireguard and vxlan ports the other way round, and the
// control thread counts handshakes. Anyone may read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nsm {

template <typename Name, std::size_t kCount>
class CounterBlock {
 public:
  void add(Name name, std::uint64_t amount = 1) noexcept {
    auto& counter = values_[static_cast<std::size_t>(name)];
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  std::uint64_t at(std::size_t index) const noexcept {
    return values_[index].load(std::memory_order_relaxed);
  }
  std::uint64_t at(Name name) const noexcept { return at(static_cast<std::size_t>(name)); }

 private:
  std::array<std::atomic<std::uint64_t>, kCount> values_{};
};

enum class Rx : std::uint8_t {
  packets,
  bytes,
  keepalives,
  malformed,       // headers, lengths or virtio_net_hdr that make no sense
  unknown_index,   // no session has this receiver index
  unknown_remote,  // a VXLAN frame from elsewhere than its port's remote
  unknown_vni,     // a VXLAN frame that is no port's
  unknown_flags,   // a VXLAN header of another protocol: GPE, GBP
  auth_failed,
  replay,
  expired,       // sealed with a key past its last use
  inner_source,  // an inner address that the connection did not assign
  inner_destination,
  no_wire,  // the port is not joined to another
  truncated,
  bad_mac1,     // an initiation from who does not know our public key
  queue_full,   // more handshakes than the control thread can answer
  path_excess,  // path messages past what an honest peer sends
  count
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Rx::count)> kRxNames = {
    "rx_packets",        "rx_bytes",        "rx_keepalives",        "rx_malformed",   "rx_unknown_index",
    "rx_unknown_remote", "rx_unknown_vni",  "rx_unknown_flags",     "rx_auth_failed", "rx_replay",
    "rx_expired",        "rx_inner_source", "rx_inner_destination", "rx_no_wire",     "rx_truncated",
    "rx_bad_mac1",       "rx_queue_full",   "rx_path_excess"};

enum class Tx : std::uint8_t {
  packets,
  bytes,
  malformed,
  inner_source,
  inner_destination,
  oversize,     // longer than the wire's MTU; IP packets are answered by Packet Too Big
  no_session,   // the handshake gave up
  refused,      // the kernel did not take it
  no_buffers,   // ENOBUFS
  blocked,      // the socket stayed full
  gso_refused,  // sent one by one instead; nothing lost
  count
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Tx::count)> kTxNames = {
    "tx_packets",    "tx_bytes",   "tx_malformed",  "tx_inner_source", "tx_inner_destination", "tx_oversize",
    "tx_no_session", "tx_refused", "tx_no_buffers", "tx_blocked",      "tx_gso_refused"};

struct alignas(64) Counters {
  CounterBlock<Rx, kRxNames.size()> rx;
  alignas(64) CounterBlock<Tx, kTxNames.size()> tx;
};

}  // namespace nsm
