// The paths of one WireGuard underlay: to each remote address one, shared by
// all wires that go there. Its probes travel in a session of one of them, the
// carrier.
#pragma once

#include <map>
#include <vector>

#include "core/agenda.h"
#include "core/path.h"
#include "io/control/data-threads.h"
#include "io/holder-socket.h"

namespace nsm::io {

class WireguardPort;

// Owner: the control thread.
class Paths {
 public:
  struct Parts {
    std::string_view underlay;  // its id
    DataThreads threads;
    HolderSocket& holder;  // for events
  };
  explicit Paths(const Parts& parts) : parts_(parts) {}

  // The port's peer is to be found there, and understands path messages. Takes it from where it was.
  void join(WireguardPort& port, const Endpoint& to);
  void leave(WireguardPort& port) noexcept;

  // A path message came through this port.
  void on_message(WireguardPort& port, const PathMessage& message, Now now);

  // Does what is due and returns when to call again (CLOCK_BOOTTIME ns; UINT64_MAX: no need).
  std::uint64_t tick(Now now);

  // A kPathGet reply for each; `begin()` makes one.
  template <typename Begin, typename Send>
  void describe(Begin&& begin, Send&& send) const {
    for (const auto& [to, shared] : by_endpoint_) {
      protocol::MessageBuilder reply = begin();
      describe_path(shared, reply);
      send(std::move(reply));
    }
  }

 private:
  struct Shared : Timed {
    Shared(const Endpoint& at, std::uint32_t most_mtu_bytes) : to(at), path(most_mtu_bytes) {}
    const Endpoint to;
    Path path;
    std::vector<WireguardPort*> ports;
    WireguardPort* carrier = nullptr;
  };

  void name_path(const Shared& shared, protocol::MessageBuilder& message) const;
  void describe_path(const Shared& shared, protocol::MessageBuilder& reply) const;
  void tell(protocol::EventKind kind, const Shared& shared) const;
  void tell_state(const Shared& shared, Now now) const;

  static bool choose_carrier(Shared& shared, Now now);
  static void use_mtu(const Shared& shared) noexcept;
  std::uint64_t probe(Shared& shared, Now now);

  const Parts parts_;
  Agenda agenda_;
  std::map<Endpoint, Shared> by_endpoint_;
  std::map<const WireguardPort*, Shared*> by_port_;
};

}  // namespace nsm::io
