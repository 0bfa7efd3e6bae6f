// The receiver indexes of one device: random, so that they say nothing and
// cannot be guessed, and unique among handshakes and sessions of all peers.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "environment.h"

namespace nsm {

class Peer;

// Owner: the control thread.
class IndexTable {
 public:
  explicit IndexTable(Random& random) noexcept : random_(random) {}

  std::uint32_t allocate(Peer& peer) {
    std::uint32_t index = 0;
    do random_.fill({reinterpret_cast<std::uint8_t*>(&index), sizeof index});
    while (index == 0 || !claim(index, peer));
    return index;
  }
  // False when the index is taken.
  bool claim(std::uint32_t index, Peer& peer) { return peers_.emplace(index, &peer).second; }
  void release(std::uint32_t index) noexcept { peers_.erase(index); }
  Peer* find(std::uint32_t index) const noexcept {
    const auto found = peers_.find(index);
    return found == peers_.end() ? nullptr : found->second;
  }

 private:
  Random& random_;
  std::unordered_map<std::uint32_t, Peer*> peers_;
};

}  // namespace nsm
