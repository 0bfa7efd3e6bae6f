#include "io/control/ports.h"

#include <errno.h>

namespace nsm::io {

using namespace protocol;

Status Ports::set(View attributes, Fd device) {
  Fields fields;
  Status status = fields.parse_any(attributes);  // each kind then parses its own attributes strictly
  if (status.ok()) status = fields.require({kId, kKind});
  if (!status.ok()) return status;
  const KindOfPort* const kind = find_kind(kPortKinds, *fields.u8(kKind));
  if (!kind) return unknown_kind("port", kPortKinds);
  // Checked before the old port goes: a refused message changes nothing.
  if (status = kind->check(attributes); !status.ok()) return status;
  const std::string id(fields.text(kId));
  if (Port* known = find(id); known && known->kind() == kind->number) {
    if (const auto updated = known->update(attributes)) return *updated;
  }
  remove(id);
  MadePort made;
  const PortParts parts{underlays_, state_, devices_, next_tag_++};
  if (status = kind->make(attributes, std::move(device), parts, made); !status.ok()) {
    state_.release(id);
    return status;
  }
  by_id_.emplace(id, std::move(made));
  cross_connects_.join_port(id);
  return {};
}

void Ports::remove(std::string_view id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  cross_connects_.part_port(id);
  by_id_.erase(found);
  state_.release(id);
}

Port* Ports::find(std::string_view id) const noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

}  // namespace nsm::io
