// The receiver indexes in use in the engine. They are random, so that they reveal
// nothing and cannot be guessed. A data message names its session by this index alone,
// whatever underlay it arrives through.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "environment.h"

namespace nsm {

// Owner: the control thread. Outlives the protocol machines that share it.
class ReceiverIndexes {
 public:
  explicit ReceiverIndexes(Random& random) noexcept : random_(random) {}

  std::uint32_t allocate() {
    std::uint32_t index = 0;
    do random_.fill({reinterpret_cast<std::uint8_t*>(&index), sizeof index});
    while (index == 0 || !claim(index));
    return index;
  }
  // False when the index is taken.
  bool claim(std::uint32_t index) { return taken_.insert(index).second; }
  void release(std::uint32_t index) noexcept { taken_.erase(index); }

 private:
  Random& random_;
  std::unordered_set<std::uint32_t> taken_;
};

}  // namespace nsm
