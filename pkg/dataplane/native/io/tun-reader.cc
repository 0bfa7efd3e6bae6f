#include "io/tun-reader.h"

#include <errno.h>
#include <unistd.h>

#include <cstring>

namespace nsm::io {

TunReader::TunReader() : buffer_(std::make_unique<std::uint8_t[]>(kBufferBytes)) {}

TunReader::Result TunReader::read(int device, TunPacket& packet) noexcept {
  const ssize_t length = ::read(device, buffer_.get(), kBufferBytes);
  if (length < 0) return errno == EAGAIN || errno == EINTR ? Result::kNothing : Result::kGone;
  const auto bytes = static_cast<std::size_t>(length);
  if (bytes <= kVnetHeaderBytes) return Result::kMalformed;
  std::memcpy(&packet.header, buffer_.get(), kVnetHeaderBytes);
  packet.bytes = {buffer_.get() + kVnetHeaderBytes, bytes - kVnetHeaderBytes};
  return Result::kPacket;
}

}  // namespace nsm::io
