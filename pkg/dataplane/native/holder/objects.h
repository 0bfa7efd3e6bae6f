// The engine's objects, as nsmd sets them: opens the descriptors that they need, passes
// the messages on, and keeps in the journal what the engine has accepted.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "holder/control.h"
#include "holder/devices.h"
#include "holder/engine-supervisor.h"
#include "holder/journal.h"

namespace nsm::holder {

// The descriptors in use, by object id and what they were opened for. An object that is
// set twice gets the same one, even while the first Set is in flight.
template <typename Spec>
class SharedDescriptors {
 public:
  FdRef find(const std::string& id, const Spec& spec) const {
    return find_if(id, [&](const Spec& of) { return of == spec; });
  }
  // One of the same id that was opened for something else.
  FdRef find_other(const std::string& id, const Spec& spec) const {
    return find_if(id, [&](const Spec& of) { return !(of == spec); });
  }
  FdRef keep(const std::string& id, const Spec& spec, Fd fd) {
    std::erase_if(entries_, [&](const auto& entry) {
      return entry.second.fd.expired() || (entry.first == id && entry.second.spec == spec);
    });
    auto shared = std::make_shared<const Fd>(std::move(fd));
    entries_.emplace(id, Entry{spec, shared});
    return shared;
  }

 private:
  struct Entry {
    Spec spec;
    std::weak_ptr<const Fd> fd;
  };

  template <typename Matches>
  FdRef find_if(const std::string& id, Matches matches) const {
    const auto [first, last] = entries_.equal_range(id);
    for (auto entry = first; entry != last; ++entry) {
      if (FdRef fd = entry->second.fd.lock(); fd && matches(entry->second.spec)) return fd;
    }
    return nullptr;
  }

  std::multimap<std::string, Entry> entries_;
};

class Objects {
 public:
  struct Parts {
    Namespaces& namespaces;
    EngineSupervisor& engine;
    Journal& journal;
    Counters& counters;
    const TunOffloads& offloads;
    bool allow_own_namespace;
  };

  explicit Objects(Parts parts) : parts_(parts) {}

  // Answers the request, unless the returned status is an error.
  Status handle(const ConnectionRef& connection, const Frame& request);

 private:
  struct Change {            // of the journal, made when the engine accepts the request
    std::uint16_t type = 0;  // the object's Set; 0: no change
    std::string id;
    bool removes = false;
    Bytes message;
    FdRef fd;
    Bytes reply = {};  // the holder's own reply
  };

  Status set_underlay(const ConnectionRef& connection, const Frame& request);
  Status set_port(const ConnectionRef& connection, const Frame& request);
  Status set_device(const ConnectionRef& connection, const Frame& request);
  Status set_plain(const ConnectionRef& connection, const Frame& request);
  Status remove(const ConnectionRef& connection, const Frame& request);
  Status pass(const ConnectionRef& connection, const Frame& request, Change change);
  void settle(const Change& change, const Status& status);
  Status get_counters(const ConnectionRef& connection, const Frame& request);
  void send_counters(ControlConnection& connection, const Frame& request) const;

  Status find_or_make_device(const std::string& id, const DeviceSpec& wanted, FdRef& fd);
  Status find_or_make_socket(const std::string& id, const SocketAddress& wanted, FdRef& fd);

  Parts parts_;
  SharedDescriptors<DeviceSpec> devices_;
  SharedDescriptors<SocketAddress> sockets_;
};

}  // namespace nsm::holder
