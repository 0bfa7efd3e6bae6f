// The queue of notes from the ingress thread to the control thread.
#pragma once

#include "io/doorbell.h"
#include "io/spsc-queue.h"
#include "pipeline/note.h"

namespace nsm::io {

// Producer: the ingress thread. Consumer: the control thread, which `bell` wakes.
class Notes final : public NoteSink {
 public:
  static constexpr std::size_t kCapacity = 1024;
  explicit Notes(const Doorbell& bell) : queue_(kCapacity), bell_(bell) {}

  bool push(Note&& note) noexcept override {
    if (!queue_.push(std::move(note))) return false;
    bell_.ring();
    return true;
  }
  bool is_half_full() const noexcept override { return queue_.size() >= kCapacity / 2; }

  bool pop(Note& note) noexcept { return queue_.pop(note); }
  std::size_t size() const noexcept { return queue_.size(); }

 private:
  SpscQueue<Note> queue_;
  const Doorbell& bell_;
};

}  // namespace nsm::io
