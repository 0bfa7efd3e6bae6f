// Measures the link quality to the remote nodes of one WireGuard underlay: once for
// each remote address, shared by all wires that go there. The probes travel in the
// session of one of these wires, the carrier: the one that was answered last, and after a
// loss another one each time, so that no single session speaks for the link. Besides,
// the sessions of the other wires are checked in turn, five a second: one that is silent
// while the link is up belongs to a wire that the far node has forgotten.
//
// A far node says itself at which address it is, and may give that of another one. So
// once a wire has had an echo from an address, only wires that had one carry the probes:
// the others have their checks, which say nothing of the link.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/agenda.h"
#include "core/link-quality.h"
#include "core/session-check.h"
#include "io/control/data-threads.h"
#include "io/holder-socket.h"

namespace nsm::io {

class WireguardPort;

// Owner: the control thread.
class LinkQualityMonitor {
 public:
  struct Parts {
    std::string_view underlay;  // its id
    DataThreads threads;
    HolderSocket& holder;  // for events
  };
  explicit LinkQualityMonitor(const Parts& parts) : parts_(parts) {}

  // The port's peer has the address `to` and understands probe messages. A port that
  // has joined another remote leaves that one first.
  void join(WireguardPort& port, const SocketAddress& to);
  void leave(WireguardPort& port) noexcept;

  // A probe message arrived through this port.
  void on_message(WireguardPort& port, const ProbeMessage& message, Now now);

  // Does what is due and returns when to call again (CLOCK_BOOTTIME ns; UINT64_MAX: no need).
  std::uint64_t tick(Now now);

  // Sends one kLinkQualityGet reply for each remote; `begin()` makes an empty one.
  template <typename Begin, typename Send>
  void describe(Begin&& begin, Send&& send) const {
    for (const auto& [to, remote] : by_address_) {
      protocol::MessageBuilder reply = begin();
      describe_remote(remote, reply);
      send(std::move(reply));
    }
  }

 private:
  struct Remote : Timed {
    Remote(const SocketAddress& at, std::uint32_t max_mtu_bytes) : address(at), quality(max_mtu_bytes) {}
    const SocketAddress address;
    LinkQuality quality;
    std::vector<WireguardPort*> ports;
    std::set<const WireguardPort*> echoed;  // those of `ports` that had an echo from this address
    WireguardPort* carrier = nullptr;
    bool may_carry(const WireguardPort* port) const noexcept {
      return echoed.empty() || echoed.contains(port);
    }
    void forget_check() noexcept {
      check = {};
      checked = nullptr;
    }

    SessionCheck check;
    WireguardPort* checked = nullptr;  // whose session
    std::uint64_t next_check_ns = 0;
    std::size_t turn = 0;  // position in `ports` of the next one to be checked
  };

  void name_remote(const Remote& remote, protocol::MessageBuilder& message) const;
  void describe_remote(const Remote& remote, protocol::MessageBuilder& reply) const;
  void send_event(protocol::EventKind kind, const Remote& remote) const;
  void report_verdict(const Remote& remote, Now now) const;

  static void note_echo(Remote& remote, WireguardPort& port);
  static bool choose_carrier(Remote& remote, Now now);
  static void change_carrier(Remote& remote, Now now);
  static WireguardPort* choose_checked(Remote& remote, Now now);
  static void check(Remote& remote, WireguardPort& port, Now now) noexcept;
  std::uint64_t check_sessions(Remote& remote, Now now);
  static void use_mtu(const Remote& remote) noexcept;
  std::uint64_t probe(Remote& remote, Now now);

  const Parts parts_;
  Agenda agenda_;
  std::map<SocketAddress, Remote> by_address_;
  std::map<const WireguardPort*, Remote*> by_port_;
};

}  // namespace nsm::io
