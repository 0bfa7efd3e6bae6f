// The wires by id: each joins a device to a network port, and is whole while both are there.
#pragma once

#include <map>
#include <string>

#include "io/control/port.h"

namespace nsm::io {

class Ports;

struct Wire {
  std::string port_a;
  std::string port_b;
};

// Owner: the control thread.
class Wires {
 public:
  Wires(Ports& ports, DataThreads threads) : ports_(ports), threads_(threads) {}

  protocol::Status set(protocol::View attributes);
  void remove(std::string_view id);

  // A port has come, or is about to go: of its wire, if it has one.
  void join_port(std::string_view port);
  void part_port(std::string_view port);

  const std::map<std::string, Wire, std::less<>>& all() const noexcept { return by_id_; }

 private:
  struct Ends {
    Port::Device device;
    Port::Network network;
  };
  protocol::Status ends_of(const Wire& wire, Ends& ends) const;
  const std::string* wire_of(std::string_view port) const;
  void join(const Wire& wire);
  void part(const Wire& wire);

  Ports& ports_;
  DataThreads threads_;
  std::map<std::string, Wire, std::less<>> by_id_;
  std::map<std::string, std::string, std::less<>> id_by_port_;
};

}  // namespace nsm::io
