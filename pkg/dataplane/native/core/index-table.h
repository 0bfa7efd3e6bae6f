// The peers of one protocol machine by receiver index. Receiver indexes are unique
// among the handshakes and sessions of all machines of the engine.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "receiver-indexes.h"

namespace nsm {

class Peer;

// Owner: the control thread.
class IndexTable {
 public:
  explicit IndexTable(ReceiverIndexes& indexes) noexcept : indexes_(indexes) {}
  ~IndexTable() {
    for (const auto& [index, peer] : peers_) indexes_.release(index);
  }
  IndexTable(const IndexTable&) = delete;
  IndexTable& operator=(const IndexTable&) = delete;

  std::uint32_t allocate(Peer& peer) {
    const std::uint32_t index = indexes_.allocate();
    peers_.emplace(index, &peer);
    return index;
  }
  // False when the index is taken.
  bool claim(std::uint32_t index, Peer& peer) {
    return indexes_.claim(index) && peers_.emplace(index, &peer).second;
  }
  void release(std::uint32_t index) noexcept {
    if (peers_.erase(index) > 0) indexes_.release(index);
  }
  Peer* find(std::uint32_t index) const noexcept {
    const auto found = peers_.find(index);
    return found == peers_.end() ? nullptr : found->second;
  }

 private:
  ReceiverIndexes& indexes_;
  std::unordered_map<std::uint32_t, Peer*> peers_;
};

}  // namespace nsm
