// The ports of all kinds, by id.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/saved-state.h"
#include "io/control/cross-connects.h"
#include "io/control/port-kinds.h"
#include "io/control/underlays.h"

namespace nsm::io {

// Owner: the control thread.
class Ports {
 public:
  Ports(Underlays& underlays, SavedState& state, const DevicePort::Parts& devices)
      : underlays_(underlays), state_(state), devices_(devices), cross_connects_(*this, devices.threads) {}

  protocol::Status set(protocol::View attributes, Fd device);
  void remove(std::string_view id);
  Port* find(std::string_view id) const noexcept;
  CrossConnects& cross_connects() noexcept { return cross_connects_; }

  template <typename Visit>
  void each(Visit&& visit) const {
    for (const auto& [id, port] : by_id_) visit(*port);
  }

 private:
  Underlays& underlays_;
  SavedState& state_;
  const DevicePort::Parts devices_;
  std::uint64_t next_tag_ = 1;
  std::map<std::string, MadePort, std::less<>> by_id_;
  CrossConnects cross_connects_;
};

}  // namespace nsm::io
