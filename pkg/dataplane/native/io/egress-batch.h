// The memory in which a batch of datagrams is made, one behind the other, so
// that they can leave by one system call.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "io/udp-sender.h"

namespace nsm::io {

// Owner: the egress thread; all its ports use the same one in turn.
class EgressBatch {
 public:
  static constexpr std::size_t kDatagrams = 128;
  static constexpr std::size_t kBytes = 192 * 1024;  // stays in the second-level cache

  EgressBatch() : memory_(std::make_unique<std::uint8_t[]>(kBytes)) {}

  bool has_room(std::size_t bytes) const noexcept { return count_ < kDatagrams && used_ + bytes <= kBytes; }
  bool empty() const noexcept { return count_ == 0; }
  // Where the next datagram goes; all that is left, at least what has_room() was asked.
  std::uint8_t* space() const noexcept { return memory_.get() + used_; }
  std::size_t space_bytes() const noexcept { return kBytes - used_; }
  // The first `bytes` of space() are a datagram now.
  void commit(std::size_t bytes) noexcept {
    datagrams_[count_++] = {space(), static_cast<std::uint32_t>(bytes)};
    used_ += bytes;
  }
  std::span<const Datagram> datagrams() const noexcept { return {datagrams_.data(), count_}; }
  void reset() noexcept { used_ = count_ = 0; }

 private:
  std::unique_ptr<std::uint8_t[]> memory_;
  std::array<Datagram, kDatagrams> datagrams_;
  std::size_t used_ = 0;
  std::size_t count_ = 0;
};

}  // namespace nsm::io
