// A SocketAddress as the kernel has it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "core/socket-address.h"

namespace nsm::io {

union Sockaddr {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;

  Sockaddr() noexcept : v6{} {}
  explicit Sockaddr(const SocketAddress& from) noexcept : v6{} {
    if (from.family == 4) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(from.port);
      std::memcpy(&v4.sin_addr, from.address.data(), sizeof v4.sin_addr);
    } else {
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(from.port);
      std::memcpy(&v6.sin6_addr, from.address.data(), sizeof v6.sin6_addr);
    }
  }

  socklen_t size() const noexcept { return any.sa_family == AF_INET ? sizeof v4 : sizeof v6; }

  SocketAddress socket_address() const noexcept {
    SocketAddress out;
    if (any.sa_family == AF_INET) {
      out.family = 4;
      out.port = ntohs(v4.sin_port);
      std::memcpy(out.address.data(), &v4.sin_addr, sizeof v4.sin_addr);
    } else if (any.sa_family == AF_INET6) {
      out.family = 6;
      out.port = ntohs(v6.sin6_port);
      std::memcpy(out.address.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    }
    return out;
  }
};

// Of a bound socket.
inline SocketAddress local_address(int socket) noexcept {
  Sockaddr address;
  socklen_t length = sizeof address;
  getsockname(socket, &address.any, &length);
  return address.socket_address();
}

}  // namespace nsm::io
