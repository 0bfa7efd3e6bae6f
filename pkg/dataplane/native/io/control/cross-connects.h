// The cross-connects by id. Each joins a device to a network port, and is in effect
// while both ports exist.
#pragma once

#include <map>
#include <string>

#include "io/control/port.h"

namespace nsm::io {

class Ports;

struct CrossConnect {
  std::string port_a;
  std::string port_b;
};

// Owner: the control thread.
class CrossConnects {
 public:
  CrossConnects(Ports& ports, DataThreads threads) : ports_(ports), threads_(threads) {}

  protocol::Status set(protocol::View attributes);
  void remove(std::string_view id);

  // A port was added, or is about to be removed: joins or parts its cross-connect, if it has one.
  void join_port(std::string_view port);
  void part_port(std::string_view port);

  const std::map<std::string, CrossConnect, std::less<>>& all() const noexcept { return by_id_; }

 private:
  struct Joined {
    Port::Device device;
    Port::Network network;
  };
  protocol::Status find_ports(const CrossConnect& cross_connect, Joined& joined) const;
  const std::string* id_of(std::string_view port) const;
  void join(const CrossConnect& cross_connect);
  void part(const CrossConnect& cross_connect);

  Ports& ports_;
  DataThreads threads_;
  std::map<std::string, CrossConnect, std::less<>> by_id_;
  std::map<std::string, std::string, std::less<>> id_by_port_;
};

}  // namespace nsm::io
