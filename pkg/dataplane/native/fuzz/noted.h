// The control thread as the stages see it: notes are kept as long as there is room.
#pragma once

#include <utility>
#include <vector>

#include "pipeline/note.h"

namespace nsm::fuzz {

class Noted final : public NoteSink {
 public:
  bool push(Note&& note) noexcept override {
    if (notes_.size() >= kCapacity) return false;
    notes_.push_back(std::move(note));
    return true;
  }
  bool is_half_full() const noexcept override { return notes_.size() >= kCapacity / 2; }
  // All notes since the last call.
  std::vector<Note> take() { return std::exchange(notes_, {}); }

 private:
  static constexpr std::size_t kCapacity = 64;
  std::vector<Note> notes_;
};

}  // namespace nsm::fuzz
