// The ingress thread, "nsm-rx": UDP -> underlay -> port -> joined packets -> devices.
// Handshake messages and notes about peers go to the control thread.
#pragma once

#include <variant>
#include <vector>

#include "io/channel.h"
#include "io/fd.h"
#include "io/moderation.h"
#include "io/udp-receiver.h"
#include "pipeline/opener.h"

namespace nsm::io {

// The socket of an underlay, and the stage that takes its datagrams.
struct IngressSocket {
  int fd = -1;
  IngressUnderlay* underlay = nullptr;
};

// Commands refer to objects of the control thread (see IngressPort).
struct ReadSocket {
  IngressSocket* socket;
};
struct ForgetSocket {
  IngressSocket* socket;
};
// Joins the port to `device`; null: parts it, and its packets are dropped.
struct JoinIngress {
  IngressPort* port;
  IngressDevice* device;
};
struct UseReceiveKey {
  Opener* opener;
  WireguardIngress* port;
  std::unique_ptr<ReceiveKey> key;
};
struct DropReceiveKey {
  Opener* opener;
  std::uint32_t local_index;
};
struct UseIngressRules {
  WireguardIngress* port;
  std::unique_ptr<InnerRules> rules;
  bool roaming;
  bool probe_messages;
};
struct MoveIngress {
  WireguardIngress* port;
  SocketAddress to;
};
struct AddPort {
  IngressUnderlay* underlay;
  IngressPort* port;
};
struct RemovePort {
  IngressUnderlay* underlay;
  IngressPort* port;
};
struct StartReading {};  // until then, datagrams wait in their sockets
using IngressCommand =
    std::variant<std::monostate, ReadSocket, ForgetSocket, JoinIngress, UseReceiveKey, DropReceiveKey,
                 UseIngressRules, MoveIngress, AddPort, RemovePort, StartReading>;

class Ingress {
 public:
  explicit Ingress(const IngressParts& parts);
  Channel<IngressCommand>& commands() noexcept { return commands_; }
  [[noreturn]] void run();

 private:
  void execute(std::monostate) noexcept {}
  void execute(ReadSocket command);
  void execute(ForgetSocket command) noexcept;
  void execute(JoinIngress command) noexcept { command.port->device = command.device; }
  void execute(UseReceiveKey command) { command.opener->install(*command.port, std::move(command.key)); }
  void execute(DropReceiveKey command) noexcept { command.opener->drop(command.local_index); }
  void execute(UseIngressRules command) noexcept;
  void execute(MoveIngress command) noexcept { command.port->endpoint = command.to; }
  void execute(AddPort command) { command.underlay->add(*command.port); }
  void execute(RemovePort command) noexcept { command.underlay->remove(*command.port); }
  void execute(StartReading) noexcept;

  // Reads what is waiting in the socket; returns how many messages.
  std::size_t read(const IngressSocket& socket) noexcept;
  void dispatch(IngressUnderlay& underlay, const Received& received, std::uint64_t now_ns) noexcept;

  Channel<IngressCommand> commands_;
  Fd epoll_;
  bool reading_ = false;                 // since StartReading
  std::vector<IngressSocket*> sockets_;  // in epoll_ while reading
  UdpReceiver receiver_;
  IngressParts parts_;
  Moderation moderation_;
};

}  // namespace nsm::io
