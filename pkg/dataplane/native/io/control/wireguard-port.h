// A wireguard port: one peer and the rules of its wire, for all three threads.
#pragma once

#include <atomic>
#include <optional>

#include "core/saved-state.h"
#include "io/control/port.h"
#include "io/control/underlay.h"

namespace nsm::io {

// The attributes of kPortSet.
struct WireguardConfig {
  std::string id;
  std::string underlay;
  PeerConfig peer;
  InnerRules rules;
  bool probe_messages = false;  // the peer understands them
};

class WireguardPort final : public Port {
 public:
  static protocol::Status parse(protocol::View attributes, WireguardConfig& config);

  // `config.peer.tag` is unique for the life of the engine. To be followed by start().
  WireguardPort(const WireguardConfig& config, Underlay& underlay);
  ~WireguardPort() override;
  // Adds the peer. After an error the port cannot be used. `saved` may be null and outlives the port.
  protocol::Status start(SavedPeer* saved, Now now);

  std::optional<protocol::Status> update(protocol::View attributes) override;
  void describe(protocol::MessageBuilder& reply) const override;
  std::optional<Network> network() noexcept override {
    return Network{egress_.get(), &ingress_, has_frames() ? protocol::kTap : protocol::kTun};
  }

  Peer& peer() noexcept { return *peer_; }
  // The peer has this address now.
  void choose_link(const SocketAddress& to);
  WireguardEgress* egress() noexcept { return egress_.get(); }
  WireguardIngress& ingress() noexcept { return ingress_; }
  // The longest plaintext, as agreed.
  std::uint32_t agreed_bytes() const noexcept {
    return config_.rules.mtu_bytes + framing_bytes(config_.rules);
  }
  // The longest plaintext that passes to the peer; unlimited until measured.
  void use_path_mtu(std::uint32_t bytes) noexcept { path_mtu_.store(bytes, std::memory_order_relaxed); }

 private:
  bool has_frames() const noexcept { return config_.rules.payload == Payload::kEthernet; }
  bool is_same_peer(const WireguardConfig& config) const noexcept;

  static constexpr std::uint32_t kUnmeasured = UINT32_MAX;

  Underlay& underlay_;
  WireguardNode& node_;
  WireguardConfig config_;
  Peer* peer_ = nullptr;
  std::atomic<bool> hold_{false};
  std::atomic<std::uint32_t> path_mtu_{kUnmeasured};
  std::unique_ptr<WireguardEgress> egress_;
  WireguardIngress ingress_;
};

}  // namespace nsm::io
