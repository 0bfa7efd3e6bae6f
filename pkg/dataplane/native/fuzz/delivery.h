// A device of the ingress stages that is one end of a socket pair: what was
// written to it can be looked at, packet by packet.
#pragma once

#include <sys/socket.h>

#include "fuzzed-input.h"
#include "io/fd.h"
#include "io/tun-writer.h"

namespace nsm::fuzz {

class Delivery {
 public:
  Delivery() {
    int ends[2];
    require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0);
    written_ = io::Fd(ends[0]);
    read_ = io::Fd(ends[1]);
    device.fd = ends[0];
    device.counters = &counters;
  }

  // All that was written since the last call, without the header in front; nothing was joined.
  std::vector<std::vector<std::uint8_t>> take() {
    std::vector<std::vector<std::uint8_t>> packets;
    for (;;) {
      const ssize_t got = recv(read_.get(), buffer_.data(), buffer_.size(), 0);
      if (got < 0) return packets;
      require(static_cast<std::size_t>(got) >= kVnetHeaderBytes);
      require(
          std::all_of(buffer_.begin(), buffer_.begin() + kVnetHeaderBytes, [](auto b) { return b == 0; }));
      packets.emplace_back(buffer_.begin() + kVnetHeaderBytes, buffer_.begin() + got);
    }
  }

  io::Counters counters;
  io::IngressDevice device;

 private:
  io::Fd written_, read_;
  std::array<std::uint8_t, kVnetHeaderBytes + 65536> buffer_;
};

inline std::uint64_t sum(const io::Counters& counters, std::initializer_list<io::Rx> names) {
  std::uint64_t total = 0;
  for (const io::Rx name : names) total += counters.rx.at(name);
  return total;
}

}  // namespace nsm::fuzz
