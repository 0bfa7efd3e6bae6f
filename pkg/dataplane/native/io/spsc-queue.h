// Bounded queue between exactly one producing and one consuming thread.
// Neither ever waits for the other: a full queue refuses, an empty one has nothing.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace nsm::io {

template <typename T>
class SpscQueue {
 public:
  // `capacity` is a power of two; all memory is taken here.
  explicit SpscQueue(std::size_t capacity) : ring_(capacity), mask_(capacity - 1) {}

  // Producer: leaves `item` as it is and returns false when the queue is full.
  bool push(T&& item) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) > mask_) return false;
    ring_[tail & mask_] = std::move(item);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Consumer.
  bool pop(T& item) noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    item = std::move(ring_[head & mask_]);
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // How many wait; exact for neither side while the other works.
  std::size_t size() const noexcept {
    return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed);
  }

 private:
  std::vector<T> ring_;
  const std::size_t mask_;
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace nsm::io
