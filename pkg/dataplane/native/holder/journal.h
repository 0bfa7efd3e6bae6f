// What is repeated to a restarted engine: the last Set of each object that the engine
// has accepted, with its descriptor. It contains private keys, so it is only kept in
// locked memory.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "io/fd.h"
#include "protocol/message.h"

namespace nsm::holder {

using io::Fd;
using FdRef = std::shared_ptr<const Fd>;

class Journal {
 public:
  struct Entry {
    protocol::Bytes message;
    FdRef fd;  // null: the object has none
  };

  // `type` is kUnderlaySet, kPortSet or kCrossConnectSet.
  void remember(std::uint16_t type, const std::string& id, Entry entry) {
    entries_[{type, id}] = std::move(entry);
  }
  void forget(std::uint16_t type, const std::string& id) { entries_.erase({type, id}); }

  // In the order in which objects depend on each other: underlays, ports, cross-connects.
  template <typename Visit>
  void each(Visit visit) const {
    for (const auto& [key, entry] : entries_) visit(entry);
  }

 private:
  static_assert(protocol::kUnderlaySet < protocol::kPortSet &&
                protocol::kPortSet < protocol::kCrossConnectSet);
  std::map<std::pair<std::uint16_t, std::string>, Entry> entries_;
};

}  // namespace nsm::holder
