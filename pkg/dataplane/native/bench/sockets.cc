#include "bench/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "bench/options.h"

namespace nsm::bench {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr int kBufferBytes = 64 << 20;

// Large buffers, because packets that the tool itself drops would be counted as lost on the path.
// Without the privilege the system's limit applies.
void enlarge_receive_buffer(int socket) noexcept {
  setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof kBufferBytes);
}

int new_socket(int type, const Address& address) {
  const int socket = ::socket(address.storage.ss_family, type | SOCK_CLOEXEC, 0);
  if (socket < 0) fail_errno("make a socket");
  if (type == SOCK_DGRAM) enlarge_receive_buffer(socket);
  return socket;
}

}  // namespace

Address address_of(const std::string& ip, std::uint16_t port) {
  Address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (inet_pton(AF_INET, ip.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.size = sizeof v4;
  } else if (inet_pton(AF_INET6, ip.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.size = sizeof v6;
  } else {
    fail("'" + ip + "' is not an IP address");
  }
  return address;
}

int bind_socket(int type, Address at) {
  const int socket = new_socket(type, at);
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket, at.any(), at.size) != 0) fail_errno("bind the socket");
  if (type == SOCK_STREAM && listen(socket, 16) != 0) fail_errno("listen");
  return socket;
}

int connect_socket(int type, Address to) {
  const int socket = new_socket(type, to);
  if (connect(socket, to.any(), to.size) != 0) fail_errno("connect the socket");
  return socket;
}

std::uint64_t now_ns() noexcept {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

void sleep_until_ns(std::uint64_t when) noexcept {
  const timespec time{static_cast<time_t>(when / kNsPerSecond), static_cast<long>(when % kNsPerSecond)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

void wake_exactly() noexcept { prctl(PR_SET_TIMERSLACK, 1); }

}  // namespace nsm::bench
