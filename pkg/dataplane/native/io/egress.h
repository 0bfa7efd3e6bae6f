// The egress thread, "nsm-tx": devices -> packets -> segments -> sealed batches -> UDP.
//
// A device is read only while its port can send. Until then packets wait in the device's
// queue, where they also survive a crash of the engine.
#pragma once

#include <memory>
#include <variant>

#include "io/channel.h"
#include "io/egress-port.h"
#include "io/moderation.h"
#include "io/tun-reader.h"
#include "io/wireguard-egress.h"

namespace nsm::io {

// Commands refer to objects of the control thread (see EgressPort).
struct ForgetDevice {
  EgressDevice* device;
};
// Joins the device to `port`; null: parts it, and its packets are dropped.
struct JoinEgress {
  EgressDevice* device;
  EgressPort* port;
};
struct UseSendKey {
  WireguardEgress* port;
  std::unique_ptr<SendKey> key;  // null: the port has no key any more
};
struct ResumeEgress {  // ends WireguardEgress::Parts::hold
  WireguardEgress* port;
};
struct SendKeepalive {  // unless data was sent just now
  WireguardEgress* port;
};
struct SendProbeMessage {
  WireguardEgress* port;
  ProbeMessage message;
};
struct DropWaiting {  // the handshake was given up
  WireguardEgress* port;
};
struct MoveEgress {
  WireguardEgress* port;
  SocketAddress to;
};
struct UseEgressRules {
  WireguardEgress* port;
  std::unique_ptr<InnerRules> rules;
};
using EgressCommand = std::variant<std::monostate, JoinEgress, ForgetDevice, UseSendKey, ResumeEgress,
                                   SendKeepalive, SendProbeMessage, DropWaiting, MoveEgress, UseEgressRules>;

class Egress {
 public:
  explicit Egress(bool udp_gso);
  Channel<EgressCommand>& commands() noexcept { return commands_; }
  [[noreturn]] void run();

 private:
  void execute(std::monostate) noexcept {}
  void execute(JoinEgress command) noexcept;
  void execute(ForgetDevice command) noexcept;
  void execute(UseSendKey command) noexcept;
  void execute(ResumeEgress command) noexcept;
  void execute(SendKeepalive command) noexcept;
  void execute(SendProbeMessage command) noexcept {
    command.port->send_probe_message(command.message, {batch_, sender_, fragmenter_});
  }
  void execute(DropWaiting command) noexcept;
  void execute(MoveEgress command) noexcept { command.port->move_to(command.to); }
  void execute(UseEgressRules command) noexcept { command.port->use_rules(std::move(command.rules)); }

  void listen(EgressDevice& device, bool on) noexcept;
  // Reads packets of the device and gives them to its port; returns how many.
  std::size_t pump(EgressDevice& device) noexcept;
  // Reads packets of the device and drops them; returns how many.
  std::size_t drain(EgressDevice& device) noexcept;
  bool read(EgressDevice& device, TunPacket& packet) noexcept;

  Channel<EgressCommand> commands_;
  Fd epoll_;
  TunReader reader_;
  DatagramBatch batch_;
  UdpSender sender_;
  Fragmenter fragmenter_;
  Moderation moderation_;
};

}  // namespace nsm::io
