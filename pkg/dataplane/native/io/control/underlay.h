// An underlay: a UDP socket of the node, shared by wireguard or vxlan ports.
#pragma once

#include <memory>
#include <set>

#include "io/control/data-threads.h"
#include "io/control/wireguard-node.h"
#include "io/fd.h"
#include "io/features.h"
#include "pipeline/wireguard-dispatch.h"
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
  static protocol::Status parse(protocol::View attributes, protocol::Fields& fields);

  // `number` is unique for the life of the engine.
  Underlay(const protocol::Fields& fields, Fd socket, std::uint32_t number, const Parts& parts);
  ~Underlay();
  Underlay(const Underlay&) = delete;
  Underlay& operator=(const Underlay&) = delete;

  bool is_same(const protocol::Fields& fields) const;
  void describe(protocol::MessageBuilder& reply) const;

  const std::string& id() const noexcept { return id_; }
  int socket() const noexcept { return socket_.get(); }
  std::uint8_t family() const noexcept { return local_.family; }  // 4 or 6
  std::uint32_t number() const noexcept { return number_; }
  const Parts& parts() const noexcept { return parts_; }
  protocol::UnderlayKind kind() const noexcept { return kind_; }
  WireguardNode& node() noexcept { return *node_; }       // only for kUnderlayWireguard
  VxlanTable& vxlan_table() noexcept { return *vxlan_; }  // only for kUnderlayVxlan

  int ports = 0;                 // how many use it
  std::set<std::uint32_t> vnis;  // of its vxlan ports

 private:
  IngressUnderlay* make_ingress(const protocol::Fields& fields);

  const std::string id_;
  const Parts parts_;
  Fd socket_;
  SocketAddress local_;
  std::uint16_t asked_port_;
  const protocol::UnderlayKind kind_;
  const std::uint32_t number_;
  // By kind: the first two (wireguard) or the last (vxlan).
  std::unique_ptr<WireguardNode> node_;
  std::unique_ptr<WireguardDispatch> dispatch_;
  std::unique_ptr<VxlanTable> vxlan_;
  IngressSocket ingress_;
};

}  // namespace nsm::io
