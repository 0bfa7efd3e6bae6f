// The holder's requests. Each is answered with the replies it asks for, then with an
// acknowledgement or an error.
#pragma once

#include "io/control/ports.h"
#include "io/control/underlays.h"
#include "io/holder-socket.h"

namespace nsm::io {

// Owner: the control thread.
class Requests {
 public:
  struct Parts {
    Underlays& underlays;
    Ports& ports;
    const Counters& engine;  // for what belongs to no port
    DataThreads threads;
  };
  explicit Requests(const Parts& parts) : parts_(parts) {}

  // Carries out the request and answers through `holder`.
  void serve(HolderMessage& message, HolderSocket& holder);

 private:
  struct Call {
    HolderMessage& message;
    HolderSocket& holder;
    const protocol::Fields& fields;  // of requests that have no attribute but an id
    protocol::MessageBuilder reply() const;
    void send(protocol::MessageBuilder&& reply) const;
  };
  using Handler = protocol::Status (Requests::*)(const Call& call);
  struct Entry;
  static const Entry kEntries[];

  protocol::Status dispatch(HolderMessage& message, HolderSocket& holder);
  protocol::Status hello(const Call& call);
  protocol::Status set_underlay(const Call& call);
  protocol::Status delete_underlay(const Call& call);
  protocol::Status get_underlays(const Call& call);
  protocol::Status set_port(const Call& call);
  protocol::Status delete_port(const Call& call);
  protocol::Status get_ports(const Call& call);
  protocol::Status set_cross_connect(const Call& call);
  protocol::Status delete_cross_connect(const Call& call);
  protocol::Status get_cross_connects(const Call& call);
  protocol::Status get_link_qualities(const Call& call);
  protocol::Status rehandshake(const Call& call);
  protocol::Status get_counters(const Call& call);

  Parts parts_;
  bool started_ = false;  // StartReading was posted
};

}  // namespace nsm::io
