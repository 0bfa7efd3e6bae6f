// The memory in which a batch of datagrams is built, one behind the other, so that
// they can leave with one system call.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

namespace nsm {

struct Datagram {
  std::uint8_t* data = nullptr;
  std::uint32_t bytes = 0;
};

// Owner: the egress thread; all its ports use the same one in turn.
class DatagramBatch {
 public:
  static constexpr std::size_t kDatagrams = 128;
  static constexpr std::size_t kBytes = 192 * 1024;  // stays in the second-level cache

  DatagramBatch() : memory_(std::make_unique<std::uint8_t[]>(kBytes)) {}

  bool has_room(std::size_t bytes) const noexcept { return count_ < kDatagrams && used_ + bytes <= kBytes; }
  bool empty() const noexcept { return count_ == 0; }
  // Where the next datagram is to be written; as long as has_room() has confirmed.
  std::uint8_t* space() const noexcept { return memory_.get() + used_; }
  // Makes the first `bytes` of space() a datagram.
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

}  // namespace nsm
