#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "bench/round-trip.h"
#include "bench/sockets.h"

namespace nsm::bench {
namespace {

constexpr std::size_t kMostBytes = 2048;
constexpr std::size_t kUdp = 0, kListener = 1;  // indexes in the poll set; connections follow

void answer_datagram(int socket) {
  std::array<std::uint8_t, kMostBytes> bytes;
  Address from;
  const ssize_t size = recvfrom(socket, bytes.data(), bytes.size(), 0, from.any(), &from.size);
  if (size >= 0) sendto(socket, bytes.data(), static_cast<std::size_t>(size), 0, from.any(), from.size);
}

// False at the end of the connection.
bool answer_stream(int socket) {
  std::array<std::uint8_t, kMostBytes> bytes;
  const ssize_t size = recv(socket, bytes.data(), bytes.size(), 0);
  return size > 0 && send(socket, bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
}

void accept_one(int listener, std::vector<pollfd>& polled) {
  const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection < 0) return;
  const int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  polled.push_back({connection, POLLIN, 0});
}

}  // namespace

int serve_echo(const Options& options) {
  const std::uint16_t port = options.port();
  const Address at = address_of(options.text("ip"), port);
  std::vector<pollfd> polled = {{bind_socket(SOCK_DGRAM, at), POLLIN, 0},
                                {bind_socket(SOCK_STREAM, at), POLLIN, 0}};
  for (;;) {
    poll(polled.data(), polled.size(), -1);
    if (polled[kUdp].revents) answer_datagram(polled[kUdp].fd);
    for (std::size_t i = polled.size(); --i > kListener;) {
      if (polled[i].revents == 0 || answer_stream(polled[i].fd)) continue;
      close(polled[i].fd);
      polled.erase(polled.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (polled[kListener].revents) accept_one(polled[kListener].fd, polled);
  }
}

}  // namespace nsm::bench
