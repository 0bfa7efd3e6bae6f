// A bounded lock-free queue with one producing and one consuming thread. Neither waits
// for the other: push() fails when the queue is full, pop() when it is empty.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace nsm::io {

template <typename T>
class SpscQueue {
 public:
  // `capacity` is a power of two. All memory is allocated here.
  explicit SpscQueue(std::size_t capacity) : ring_(capacity), mask_(capacity - 1) {}

  // Producer. False: the queue is full, and `item` is unchanged.
  bool push(T&& item) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) > mask_) return false;
    ring_[tail & mask_] = std::move(item);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Consumer. False: the queue is empty, and `item` is unchanged.
  bool pop(T& item) noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    item = std::move(ring_[head & mask_]);
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // How many items are waiting; a snapshot while the other thread is at work.
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
