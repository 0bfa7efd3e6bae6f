// What happened to packets, by reason. As seen from the engine: rx of a port is what
// came in through it from its device or the network, tx what went out. The engine's own
// counters are for what belongs to no port.
//
// Each counter has one writer. Of tun and tap ports, the egress thread counts rx and the
// ingress thread tx; of network ports, it is the other way round. The
// control thread counts handshakes. Any thread may read.
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
  packets,            // all that was accepted
  bytes,              // of these packets; of a tunnel with its own headers
  keepalives,         // authentic messages without a packet
  malformed,          // invalid header, length or virtio_net_hdr
  unknown_index,      // no session has this receiver index
  unknown_remote,     // a frame from another address than its port's remote
  unknown_vni,        // a frame whose VNI no port has
  unknown_flags,      // a header with the flags of another protocol, such as GPE or GBP
  auth_failed,        // the tag is wrong: not sealed by the peer, or damaged on the way
  replay,             // a counter that was seen already, or is too old
  expired,            // the key has expired
  inner_source,       // an inner address that the connection did not assign
  inner_destination,  // the same of the destination
  no_wire,            // the port has no cross-connect
  truncated,          // a datagram longer than the buffer
  bad_mac1,           // an initiation whose sender does not know our public key
  queue_full,         // more handshakes than the control thread can handle
  path_excess,        // more probe messages than an honest peer sends
  count
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Rx::count)> kRxNames = {
    "rx_packets",        "rx_bytes",        "rx_keepalives",        "rx_malformed",   "rx_unknown_index",
    "rx_unknown_remote", "rx_unknown_vni",  "rx_unknown_flags",     "rx_auth_failed", "rx_replay",
    "rx_expired",        "rx_inner_source", "rx_inner_destination", "rx_no_wire",     "rx_truncated",
    "rx_bad_mac1",       "rx_queue_full",   "rx_path_excess"};

enum class Tx : std::uint8_t {
  packets,            // all that was sent
  bytes,              // of these packets; of a tunnel with its own headers
  malformed,          // invalid header, length or virtio_net_hdr
  inner_source,       // an inner address that the connection did not assign
  inner_destination,  // the same of the destination
  oversize,           // longer than the MTU; an IP packet is answered with Packet Too Big
  no_session,         // no session could be established
  refused,            // the kernel refused it
  no_buffers,         // ENOBUFS
  blocked,            // the socket's buffer stayed full
  gso_refused,        // UDP_SEGMENT was refused: sent one by one, nothing is lost
  fragmented,         // longer than the MTU, and sent in fragments
  count
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Tx::count)> kTxNames = {
    "tx_packets",           "tx_bytes",    "tx_malformed",   "tx_inner_source",
    "tx_inner_destination", "tx_oversize", "tx_no_session",  "tx_refused",
    "tx_no_buffers",        "tx_blocked",  "tx_gso_refused", "tx_fragmented"};

struct alignas(64) Counters {
  CounterBlock<Rx, kRxNames.size()> rx;
  alignas(64) CounterBlock<Tx, kTxNames.size()> tx;
};

}  // namespace nsm
