#include "io/control/underlays.h"

#include <errno.h>

#include "io/control/port-kinds.h"

namespace nsm::io {

using namespace protocol;

Status Underlays::set(View attributes, Fd socket) {
  Fields fields;
  if (Status status = Underlay::parse(attributes, fields); !status.ok()) return status;
  const std::string_view id = fields.text(kId);
  Underlay* const known = find(id);
  const bool stays = known && known->has_kind_and_key_of(fields);
  if (stays && known->has_address_of(fields)) return {};
  if (!socket) return {EBADF, "the message for underlay " + std::string(id) + " carries no socket"};
  if (stays) return known->move(fields, socket);
  if (known) {
    if (known->ports > 0)
      return {EBUSY, "underlay " + std::string(id) + " is in use: remove its ports first"};
    by_id_.erase(by_id_.find(id));
  }
  const KindOfUnderlay& kind = *find_kind(kUnderlayKinds, *fields.u8(kKind));
  by_id_.emplace(id, kind.make(fields, std::move(socket), {next_number_++, parts_}));
  return {};
}

Status Underlays::remove(std::string_view id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return {};
  if (found->second->ports > 0)
    return {EBUSY, "underlay " + std::string(id) + " is in use: remove its ports first"};
  by_id_.erase(found);
  return {};
}

Underlay* Underlays::find(std::string_view id) noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

Status Underlays::find(const Wanted& wanted, Underlay*& underlay) {
  const std::string id(wanted.id);
  underlay = find(wanted.id);
  if (!underlay) return {ENOENT, "there is no underlay " + id};
  if (wanted.peer.known() && wanted.peer.family != underlay->family())
    return {EAFNOSUPPORT, "the peer's address has another family than underlay " + id};
  if (underlay->kind() == wanted.kind) return {};
  const auto name = [](UnderlayKind kind) { return std::string(find_kind(kUnderlayKinds, kind)->name); };
  return {EINVAL, "underlay " + id + " is of kind " + name(underlay->kind()) + ", not " + name(wanted.kind)};
}

// A node has a handful of underlays.
Underlay* Underlays::find(std::uint32_t number) noexcept {
  for (const auto& [id, underlay] : by_id_) {
    if (underlay->number() == number) return underlay.get();
  }
  return nullptr;
}

}  // namespace nsm::io
