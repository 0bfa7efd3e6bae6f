// nsmd's requests, one function per message type. Those about namespaces and rtnetlink
// are handled here; those about objects of the engine are passed to Objects.
#pragma once

#include "holder/background.h"
#include "holder/control.h"
#include "holder/objects.h"
#include "holder/occupancy.h"
#include "holder/rtnl.h"

namespace nsm::holder {

// The event that says so.
Bytes namespace_empty(NamespaceId id);

class Requests {
 public:
  struct Parts {
    EventLoop& loop;
    Namespaces& namespaces;
    EngineSupervisor& engine;
    Objects& objects;
    Occupancy& occupancy;
    Counters& counters;
    const std::vector<std::string>& features;  // the holder's own
    const std::string& kubelet_root;           // see cgroup.h
  };

  explicit Requests(Parts parts) : parts_(parts), rtnl_(parts.namespaces), background_(parts.loop) {}

  void handle(const ConnectionRef& connection, const Frame& request);

 private:
  Status dispatch(const ConnectionRef& connection, const Frame& request, bool& is_answered);
  Status hello(ControlConnection& connection, const Frame& request);
  Status rtnl(const ConnectionRef& connection, const Frame& request, bool& is_answered);
  Status rtnl_in_background(const ConnectionRef& connection, const Frame& request, const Namespace& target,
                            Bytes payload);
  Status rtnl_watch(const ConnectionRef& connection, const Frame& request);
  Status pin(const Frame& request);
  Status pin_pod(const ConnectionRef& connection, const Frame& request, bool& is_answered);
  Status keep(const std::string& id, const NamespaceRef& target);
  Status unpin(const Frame& request);
  Status list_pins(ControlConnection& connection, const Frame& request);
  Status check_sources(const Frame& request);

  Status patch_descriptors(const protocol::Fields& fields, Bytes& payload) const;
  void watch_events(const ConnectionRef& connection, NamespaceId ns, bool is_own);

  Parts parts_;
  Rtnl rtnl_;
  Background background_;
};

}  // namespace nsm::holder
