// One side of the relay: the socket that faces one endpoint. That endpoint sees the relay as its
// peer. The relay's source port can change, as behind a NAT.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "io/fd.h"
#include "io/sockaddr.h"
#include "link.h"

namespace nsm::impair {

class Side {
 public:
  struct Places {
    io::Sockaddr listen;
    std::optional<io::Sockaddr> peer;  // empty: the last sender
  };
  // Throws std::system_error if the socket cannot be opened.
  explicit Side(const Places& places);

  int fd() const noexcept { return socket_.get(); }
  // Passes waiting datagrams to `link`; false if there were none.
  bool receive(Link& link, std::uint64_t now_ns);
  // Sends what is due in `link` to this side's endpoint.
  void send(Link& link, std::uint64_t now_ns);
  // Moves to another port, which the kernel chooses.
  void rebind();
  // Datagrams that the kernel dropped because the receive buffer was full.
  std::uint64_t overrun() const noexcept;

 private:
  static constexpr std::size_t kBatch = 64;
  static constexpr std::size_t kMaxDatagramBytes = 9216;

  void open(const io::Sockaddr& address);
  void transmit(Link& link, std::size_t count);

  io::Fd socket_;
  io::Sockaddr listen_;
  std::optional<io::Sockaddr> peer_;
  const bool learns_;
  std::uint64_t overrun_before_ = 0;  // by the sockets before a rebinding
  std::unique_ptr<std::uint8_t[]> memory_;
  std::array<mmsghdr, kBatch> headers_;
  std::array<iovec, kBatch> parts_;
  std::array<io::Sockaddr, kBatch> from_;
  std::array<DelayLine::Waiting, kBatch> leaving_;
};

// Parses ADDRESS:PORT or [ADDRESS]:PORT; empty if it is neither.
std::optional<io::Sockaddr> read_address(const std::string& text);

}  // namespace nsm::impair
