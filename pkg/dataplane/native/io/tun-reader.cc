#include "io/tun-reader.h"

#include <errno.h>
#include <sys/uio.h>

namespace nsm::io {

TunReader::TunReader() : buffer_(std::make_unique<std::uint8_t[]>(kBufferBytes)) {}

TunReader::Got TunReader::read(int device, TunPacket& packet) noexcept {
  iovec parts[] = {{&packet.header, sizeof packet.header}, {buffer_.get(), kBufferBytes}};
  const ssize_t length = readv(device, parts, 2);
  if (length < 0) return errno == EAGAIN || errno == EINTR ? Got::kNothing : Got::kGone;
  const auto bytes = static_cast<std::size_t>(length);
  if (bytes <= kVnetHeaderBytes) return Got::kMalformed;
  packet.bytes = {buffer_.get(), bytes - kVnetHeaderBytes};
  return Got::kPacket;
}

}  // namespace nsm::io
