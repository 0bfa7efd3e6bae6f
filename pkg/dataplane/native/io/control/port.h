// A port as the control thread sees it. Each kind is one class; what they have in
// common is that a wire joins a device (tun, tap) to a network port (wireguard, vxlan).
#pragma once

#include <optional>
#include <string>

#include "io/control/data-threads.h"
#include "protocol/fields.h"

namespace nsm::io {

// Owner: the control thread. The destructor returns when no data thread has a reference left.
class Port {
 public:
  Port(std::string_view id, protocol::PortKind kind) : id_(id), kind_(kind) {}
  virtual ~Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  const std::string& id() const noexcept { return id_; }
  protocol::PortKind kind() const noexcept { return kind_; }
  const Counters& counters() const noexcept { return counters_; }

  // Takes over what a repeated kPortSet says. Absent: the port has to be made anew for that.
  virtual std::optional<protocol::Status> update(protocol::View attributes) = 0;
  // What kPortGet tells besides id and kind.
  virtual void describe(protocol::MessageBuilder& reply) const = 0;

  struct Device {
    EgressDevice* egress = nullptr;
    IngressDevice* ingress = nullptr;
  };
  struct Network {
    EgressPort* egress = nullptr;
    IngressPort* ingress = nullptr;
    protocol::PortKind device;  // the kind that a wire joins it to
  };
  // Exactly one of the two is there.
  virtual std::optional<Device> device() noexcept { return std::nullopt; }
  virtual std::optional<Network> network() noexcept { return std::nullopt; }

 protected:
  Counters counters_;

 private:
  const std::string id_;
  const protocol::PortKind kind_;
};

}  // namespace nsm::io
