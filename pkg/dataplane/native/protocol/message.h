// Frames of the local protocol: netlink messages (nlmsghdr, then nlattr padded to
// 4 bytes) in memory. Nothing here does I/O or throws, and reading never copies.
//
//   bytes -> next_frame -> Frame -> Fields (fields.h: the attributes, checked)
//   MessageBuilder -> bytes
#pragma once

#include <string.h>  // explicit_bzero

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/protocol.h"

namespace nsm::protocol {

// Messages carry keys, so their memory is wiped when it is freed.
template <typename T>
struct WipedAllocator : std::allocator<T> {
  template <typename U>
  struct rebind {
    using other = WipedAllocator<U>;
  };
  void deallocate(T* memory, std::size_t count) {
    explicit_bzero(memory, count * sizeof(T));
    std::allocator<T>::deallocate(memory, count);
  }
};

using Bytes = std::vector<std::uint8_t, WipedAllocator<std::uint8_t>>;
using View = std::span<const std::uint8_t>;

inline View view_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(View bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The outcome of a request: error 0, or a positive errno with a sentence for people.
struct Status {
  int error = 0;
  std::string text;
  bool ok() const { return error == 0; }
};

// One message, as a view into a buffer of the caller.
struct Frame {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  View attributes;  // what follows the header
  View bytes;       // the whole message, padding included
};

enum class FrameState { kComplete, kIncomplete, kMalformed };

// Reads the message at the start of `bytes`, which is `frame.bytes.size()` long.
// Malformed: its length is less than 16 or more than kMaxMessageBytes; a stream cannot
// be read any further after that.
FrameState next_frame(View bytes, Frame& frame);

class MessageBuilder {
 public:
  MessageBuilder(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence);

  // `value` is cut off after 65,531 bytes.
  MessageBuilder& bytes(std::uint16_t attribute, View value);
  MessageBuilder& text(std::uint16_t attribute, std::string_view value) {
    return bytes(attribute, view_of(value));
  }
  MessageBuilder& u8(std::uint16_t attribute, std::uint8_t value) { return number(attribute, value); }
  MessageBuilder& u16(std::uint16_t attribute, std::uint16_t value) { return number(attribute, value); }
  MessageBuilder& u32(std::uint16_t attribute, std::uint32_t value) { return number(attribute, value); }
  MessageBuilder& u64(std::uint16_t attribute, std::uint64_t value) { return number(attribute, value); }

  // Appends attributes that are already encoded.
  MessageBuilder& encoded(View attributes);

  // Attributes between begin() and end() are nested in `attribute`. One level only.
  MessageBuilder& begin(std::uint16_t attribute);
  MessageBuilder& end();

  std::size_t size() const { return bytes_.size(); }
  // The message, with its length filled in. The builder is empty afterwards.
  Bytes take();

 private:
  template <typename T>
  MessageBuilder& number(std::uint16_t attribute, T value) {
    return bytes(attribute, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }

  Bytes bytes_;
  std::size_t nest_ = 0;
};

// The NLMSG_ERROR that ends the answer to a request, with the text as
// NLMSGERR_ATTR_MSG. Error 0 is an acknowledgement.
Bytes answer(const Frame& request, const Status& status);

// Reads an NLMSG_ERROR: 0 or an errno. EBADMSG: it is too short, or its number is no errno.
Status read_answer(const Frame& frame);

// The same message with another sequence number.
Bytes with_sequence(View message, std::uint32_t sequence);

}  // namespace nsm::protocol
