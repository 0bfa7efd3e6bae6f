// A port as the control thread sees it. Each kind is a class. A cross-connect joins a
// device port (tun, tap) to a network port, which leads to another node.
#pragma once

#include <optional>
#include <string>

#include "io/control/data-threads.h"
#include "protocol/fields.h"

namespace nsm::io {

// Owner: the control thread. When the destructor returns, no data thread refers to the port.
class Port {
 public:
  Port(std::string_view id, protocol::PortKind kind) : id_(id), kind_(kind) {}
  virtual ~Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  const std::string& id() const noexcept { return id_; }
  protocol::PortKind kind() const noexcept { return kind_; }
  const Counters& counters() const noexcept { return counters_; }

  // Applies a repeated kPortSet. Absent: the port has to be replaced by a new one for that.
  virtual std::optional<protocol::Status> update(protocol::View attributes) = 0;
  // Adds to a kPortGet reply what it contains besides id and kind.
  virtual void describe(protocol::MessageBuilder& reply) const = 0;

  struct Device {
    EgressDevice* egress = nullptr;
    IngressDevice* ingress = nullptr;
  };
  struct Network {
    EgressPort* egress = nullptr;
    IngressPort* ingress = nullptr;
    protocol::PortKind device;  // the kind of device that it can be joined to
  };
  // A port is exactly one of the two.
  virtual std::optional<Device> device() noexcept { return std::nullopt; }
  virtual std::optional<Network> network() noexcept { return std::nullopt; }

 protected:
  Counters counters_;

 private:
  const std::string id_;
  const protocol::PortKind kind_;
};

}  // namespace nsm::io
