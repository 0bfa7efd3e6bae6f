// An underlay: a UDP socket of the node, shared by ports of one kind. Each kind is a
// class, because the way from a datagram to its port is a mechanism's own.
#pragma once

#include <memory>

#include "io/control/data-threads.h"
#include "io/control/wireguard-node.h"
#include "io/fd.h"
#include "io/features.h"
#include "protocol/fields.h"

namespace nsm::io {

// Owner: the control thread. When the destructor returns, no data thread refers to the underlay.
class Underlay {
 public:
  // What all underlays of the engine share.
  struct Parts {
    WireguardNode::Parts node;
    WaitingPorts& waiting_ports;
    const Offloads& offloads;
    IngressParts stages;
  };
  struct Place {
    std::uint32_t number;  // unique for the life of the engine
    const Parts& parts;
  };
  // Reads what all kinds have, and refuses an unknown kind.
  static protocol::Status parse(protocol::View attributes, protocol::Fields& fields);

  virtual ~Underlay() = default;
  Underlay(const Underlay&) = delete;
  Underlay& operator=(const Underlay&) = delete;

  bool has_address_of(const protocol::Fields& fields) const noexcept;
  bool has_kind_and_key_of(const protocol::Fields& fields) const;
  // Exchanges the socket. Ports and sessions stay; what waits in the old socket is lost.
  protocol::Status move(const protocol::Fields& fields, const Fd& socket);
  virtual void describe(protocol::MessageBuilder& reply) const;

  const std::string& id() const noexcept { return id_; }
  int socket() const noexcept { return socket_.get(); }
  std::uint8_t family() const noexcept { return local_.family; }  // 4 or 6
  std::uint32_t number() const noexcept { return number_; }
  const Parts& parts() const noexcept { return parts_; }
  protocol::UnderlayKind kind() const noexcept { return kind_; }
  virtual WireguardNode* node() noexcept { return nullptr; }  // absent: no sessions

  int ports = 0;  // how many use it

 protected:
  Underlay(const protocol::Fields& fields, Fd socket, const Place& place);
  // From read() to forget(), `ingress` takes the datagrams.
  void read(IngressUnderlay& ingress) noexcept;
  void forget() noexcept;
  virtual bool has_key_of(const protocol::Fields&) const { return true; }

 private:
  // As the message said: the socket has another port where it asked for any.
  struct Asked {
    protocol::Bytes address;
    std::uint16_t port;
    bool operator==(const Asked&) const = default;
  };
  static Asked asked(const protocol::Fields& fields);
  void adopt_socket() noexcept;

  const std::string id_;
  const Parts parts_;
  const Fd socket_;  // the number stays when the socket is exchanged: the data threads use it
  SocketAddress local_;
  Asked asked_;
  const protocol::UnderlayKind kind_;
  const std::uint32_t number_;
  IngressSocket ingress_;
};

}  // namespace nsm::io
