// The control thread, "nsm-ctl": requests of the holder, handshakes, timers. It owns all
// objects; the data threads borrow them (see EgressPort, IngressPort).
#pragma once

#include <string>
#include <vector>

#include "io/control/ports.h"
#include "io/control/requests.h"
#include "io/control/underlays.h"

namespace nsm::io {

class Control {
 public:
  struct Parts {
    HolderSocket& holder;
    Underlay::Parts underlays;
    SavedState& state;
    Notes& notes;
    WaitingPorts& waiting_ports;
    const Doorbell& bell;
    const Counters& engine;
  };
  explicit Control(const Parts& parts);

  void greet(const std::vector<std::string>& features);
  // Serves until the holder closes its socket.
  void run();

 private:
  void watch(int fd) noexcept;
  bool serve_holder();
  void serve_notes(Now now);
  void serve_waiting_ports(Now now);
  void tick(Now now);

  Parts parts_;
  Underlays underlays_;
  Ports ports_;
  Requests requests_;
  Fd timer_;
  Fd epoll_;
};

}  // namespace nsm::io
