// The receiver indexes in use in the whole engine: random, so that they say
// nothing and cannot be guessed. Data messages name their session by nothing
// else, whichever device it belongs to and whichever socket they come by.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "environment.h"

namespace nsm {

// Owner: the control thread. Outlives the devices that share it.
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
