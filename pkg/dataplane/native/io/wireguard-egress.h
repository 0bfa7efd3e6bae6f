// Egress of a wireguard port: a packet or frame of the device, or a super-packet, is
// admitted, split into segments, sealed, and sent to the peer in batches.
//
//   TunPacket -> admit_packet or admit_frame -> Sealer -> UdpSender
#pragma once

#include <atomic>
#include <memory>

#include "core/activity.h"
#include "core/probe-message.h"
#include "io/egress-port.h"
#include "io/waiting-ports.h"
#include "pipeline/inner-rules.h"
#include "pipeline/sealer.h"

namespace nsm::io {

// Owner: the egress thread (see EgressPort).
class WireguardEgress final : public EgressPort {
 public:
  struct Parts {
    Counters& counters;
    Activity& activity;
    std::uint64_t tag;  // names the port to the control thread
    WaitingPorts& waiting_ports;
    // Set by the ingress thread when the peer starts to use a new session, until the
    // sending key of that session is installed. The peer may have lost the keys of the
    // old session, so answers to its first packet must not use it.
    std::atomic<bool>& hold;
    // The longest plaintext that passes to the peer now; written by the control thread.
    const std::atomic<std::uint32_t>& path_mtu;
    UdpTarget target;
  };
  WireguardEgress(const Parts& parts, std::unique_ptr<InnerRules> rules) noexcept
      : parts_(parts), rules_(std::move(rules)) {}

  bool ready(std::uint64_t now_ns) noexcept override;
  void packets_waiting() noexcept override;
  void take(const TunPacket& packet, EgressParts parts) noexcept override;
  void flush(EgressParts parts) noexcept override;

  void send_keepalive(EgressParts parts) noexcept;
  // A probe is sent unfragmented or not at all.
  void send_probe_message(const ProbeMessage& message, EgressParts parts) noexcept;
  std::uint64_t sealed() const noexcept { return sealer_.sealed(); }  // packets sealed with the current key
  void use_key(std::unique_ptr<SendKey> key) noexcept { sealer_.use_key(std::move(key)); }
  void use_rules(std::unique_ptr<InnerRules> rules) noexcept { rules_ = std::move(rules); }
  void resume() noexcept { parts_.hold.store(false, std::memory_order_release); }
  void move_to(const SocketAddress& to) noexcept { parts_.target.to = Sockaddr(to); }
  void drop_waiting(std::uint64_t packets) noexcept { parts_.counters.tx.add(Tx::no_session, packets); }

 private:
  std::uint32_t mtu() const noexcept { return mtu_bytes(*rules_, parts_.path_mtu); }
  std::optional<GsoPacket> admit(const TunPacket& packet, std::uint32_t mtu_bytes) noexcept;
  void seal(const GsoPacket& segments, std::uint32_t mtu_bytes, EgressParts parts) noexcept;
  bool can_begin(const DatagramBatch& batch) const noexcept;
  void note_sent() noexcept;

  Parts parts_;
  std::unique_ptr<InnerRules> rules_;
  Sealer sealer_;
  bool has_data_ = false;  // the batch holds more than a keepalive
};

}  // namespace nsm::io
