// The underlays by id.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "io/control/underlay.h"

namespace nsm::io {

// Owner: the control thread.
class Underlays {
 public:
  explicit Underlays(const Underlay::Parts& parts) : parts_(parts) {}

  protocol::Status set(protocol::View attributes, Fd socket);
  protocol::Status remove(std::string_view id);
  Underlay* find(std::string_view id) noexcept;
  Underlay* find(std::uint32_t number) noexcept;

  struct Wanted {
    std::string_view id;
    protocol::UnderlayKind kind;
    const SocketAddress& peer;  // of the port, if it is known
  };
  protocol::Status find(const Wanted& wanted, Underlay*& underlay);

  template <typename Visit>
  void each(Visit&& visit) {
    for (const auto& [id, underlay] : by_id_) visit(*underlay);
  }
  template <typename Visit>
  void each_node(Visit&& visit) {
    each([&](Underlay& underlay) {
      if (underlay.node()) visit(*underlay.node());
    });
  }

 private:
  const Underlay::Parts parts_;
  std::uint32_t next_number_ = 1;
  std::map<std::string, std::unique_ptr<Underlay>, std::less<>> by_id_;
};

}  // namespace nsm::io
