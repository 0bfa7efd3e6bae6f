// The network side as the stages of ingress see it.
//
//   datagram -> IngressUnderlay: which port is it for? -> IngressPort -> FlowJoiner -> IngressDevice
//
// All these belong to the control thread. From the first command about one until
// Channel::settle() after the last, only the ingress thread touches it.
#pragma once

#include "pipeline/counters.h"
#include "pipeline/flow-joiner.h"
#include "pipeline/note.h"

namespace nsm {

// What all stages of the ingress thread share.
struct IngressParts {
  Counters& engine;  // for what belongs to no port
  NoteSink& notes;
  FlowJoiner& joiner;
};

// A network port as the ingress thread sees it: the counterpart of EgressPort.
class IngressPort {
 public:
  explicit IngressPort(Counters& port_counters) noexcept : counters(port_counters) {}
  virtual ~IngressPort() = default;

  // Gives the packet or frame in `payload` to the joiner for the device, or counts why
  // not. `payload` stays where it is until the joiner is flushed.
  virtual void deliver(Bytes payload, FlowJoiner& joiner) noexcept = 0;

  Counters& counters;
  IngressDevice* device = nullptr;  // cross-connected; null: packets are dropped
};

// Where a datagram came from, and when its batch was received (CLOCK_BOOTTIME).
struct Origin {
  const SocketAddress& from;
  std::uint64_t now_ns;
};

// The stage that takes the datagrams of one underlay and finds their ports. There is one
// class for each kind of underlay, because each finds ports in its own way.
class IngressUnderlay {
 public:
  virtual ~IngressUnderlay() = default;
  // `datagram` and `origin.from` stay where they are until flush().
  virtual void take(Bytes datagram, const Origin& origin) noexcept = 0;
  // The end of a batch: gives all that was taken to the joiner, in order.
  virtual void flush(std::uint64_t now_ns) noexcept = 0;

  // A port of this kind, for mechanisms whose every datagram names its port.
  virtual void add(IngressPort&) {}
  virtual void remove(const IngressPort&) noexcept {}
};

}  // namespace nsm
