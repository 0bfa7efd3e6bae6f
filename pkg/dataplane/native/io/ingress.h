// The ingress thread, "nsm-rx": UDP -> sessions -> opened batches -> joined packets -> devices.
// Handshake messages and news about peers go to the control thread.
#pragma once

#include <variant>
#include <vector>

#include "io/channel.h"
#include "io/moderation.h"
#include "io/opener.h"
#include "io/udp-receiver.h"
#include "io/vxlan-table.h"

namespace nsm::io {

// Commands name objects whose memory is the control thread's (see IngressPort).
struct ReadUnderlay {
  IngressUnderlay* underlay;
};
struct ForgetUnderlay {
  IngressUnderlay* underlay;
};
// The port's other end is `device` from now on; absent: its packets are dropped.
struct JoinIngress {
  IngressPort* port;
  IngressDevice* device;
};
struct UseReceiveKey {
  WireguardIngress* port;
  std::unique_ptr<ReceiveKey> key;
};
struct DropReceiveKey {
  std::uint32_t local_index;
};
struct UseIngressRules {
  WireguardIngress* port;
  std::unique_ptr<InnerRules> rules;
  bool roaming;
  bool path_messages;
};
struct MoveIngress {
  WireguardIngress* port;
  Endpoint to;
};
struct AddVxlan {
  std::uint32_t underlay;
  VxlanIngress* port;
};
struct RemoveVxlan {
  std::uint32_t underlay;
  VxlanIngress* port;
};
struct StartReading {};  // from now on datagrams are read; before, they wait in their sockets
using IngressCommand =
    std::variant<std::monostate, ReadUnderlay, ForgetUnderlay, JoinIngress, UseReceiveKey, DropReceiveKey,
                 UseIngressRules, MoveIngress, AddVxlan, RemoveVxlan, StartReading>;

class Ingress {
 public:
  Ingress(Counters& engine, Notes& notes);
  Channel<IngressCommand>& commands() noexcept { return commands_; }
  [[noreturn]] void run();

 private:
  void execute(std::monostate) noexcept {}
  void execute(ReadUnderlay command);
  void execute(ForgetUnderlay command) noexcept;
  void execute(JoinIngress command) noexcept { command.port->device = command.device; }
  void execute(UseReceiveKey command) { opener_.install(*command.port, std::move(command.key)); }
  void execute(DropReceiveKey command) noexcept { opener_.drop(command.local_index); }
  void execute(UseIngressRules command) noexcept;
  void execute(MoveIngress command) noexcept { command.port->endpoint = command.to; }
  void execute(AddVxlan command) { vxlan_.add(command.underlay, *command.port); }
  void execute(RemoveVxlan command) noexcept { vxlan_.remove(command.underlay, *command.port); }
  void execute(StartReading) noexcept;

  // Reads what waits there; how many messages.
  std::size_t read(IngressUnderlay& underlay) noexcept;
  void split(IngressUnderlay& underlay, const Received& received) noexcept;
  void dispatch(IngressUnderlay& underlay, Bytes datagram, const SocketAddress& from) noexcept;
  void note_handshake(const IngressUnderlay& underlay, ConstBytes datagram,
                      const SocketAddress& from) noexcept;

  Channel<IngressCommand> commands_;
  Fd epoll_;
  bool reading_ = false;                     // since StartReading
  std::vector<IngressUnderlay*> underlays_;  // in epoll_ while reading
  UdpReceiver receiver_;
  TunWriter writer_;
  IngressParts parts_;
  Opener opener_;
  VxlanTable vxlan_;
  Moderation moderation_;
};

}  // namespace nsm::io
