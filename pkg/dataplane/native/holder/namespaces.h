// The network namespaces that the holder knows: its own, those of connected local clients, those that nsm-cni
// passes while its connection stands, and pinned ones. Requests cannot name any other.
#pragma once

#include <sys/stat.h>

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "io/fd.h"
#include "protocol/fields.h"

namespace nsm::holder {

using io::Fd;
using protocol::Status;

struct NamespaceId {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  auto operator<=>(const NamespaceId&) const = default;
};

NamespaceId namespace_id(const struct stat& info);

struct Namespace {
  NamespaceId id;
  Fd fd;
  Fd rtnl;                   // opened on first use; see rtnl.h
  bool allows_ping = false;  // since it is pinned; see ping-range.h
};
using NamespaceRef = std::shared_ptr<Namespace>;

class Namespaces {
 public:
  // Opens the namespace of this process.
  Status open_own();

  // The namespace is known as long as the returned reference exists.
  NamespaceRef add(Fd fd);
  // ENOENT: it is not known.
  Status find(NamespaceId id, NamespaceRef& found) const;
  // The namespace that kNsDev and kNsIno name; without these, the holder's own one.
  Status find(const protocol::Fields& fields, NamespaceRef& found) const;
  const NamespaceRef& own() const { return own_; }

  Status pin(const std::string& id, const NamespaceRef& target);
  // The namespace that the pin was for, if there was one.
  std::optional<NamespaceId> unpin(const std::string& id);
  bool is_pinned(NamespaceId id) const { return pin_counts_.contains(id); }
  const std::map<std::string, NamespaceRef>& pins() const { return pins_; }

 private:
  NamespaceRef own_;
  std::map<NamespaceId, std::weak_ptr<Namespace>> known_;
  std::map<std::string, NamespaceRef> pins_;
  std::map<NamespaceId, std::size_t> pin_counts_;
};

// The process is in `target` while this exists. Must not be nested.
class NamespaceVisit {
 public:
  NamespaceVisit(const Namespace& own, const Namespace& target);
  ~NamespaceVisit();
  NamespaceVisit(const NamespaceVisit&) = delete;
  NamespaceVisit& operator=(const NamespaceVisit&) = delete;
  const Status& status() const { return status_; }

 private:
  const Namespace& own_;
  Status status_;
};

}  // namespace nsm::holder
