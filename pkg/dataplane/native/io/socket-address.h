// The core's Endpoint as the kernel wants it, and back.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "core/environment.h"

namespace nsm::io {

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;

  SocketAddress() noexcept : v6{} {}
  explicit SocketAddress(const Endpoint& endpoint) noexcept : v6{} {
    if (endpoint.family == 4) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(endpoint.port);
      std::memcpy(&v4.sin_addr, endpoint.address.data(), sizeof v4.sin_addr);
    } else {
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(endpoint.port);
      std::memcpy(&v6.sin6_addr, endpoint.address.data(), sizeof v6.sin6_addr);
    }
  }

  socklen_t size() const noexcept { return any.sa_family == AF_INET ? sizeof v4 : sizeof v6; }

  Endpoint endpoint() const noexcept {
    Endpoint endpoint;
    if (any.sa_family == AF_INET) {
      endpoint.family = 4;
      endpoint.port = ntohs(v4.sin_port);
      std::memcpy(endpoint.address.data(), &v4.sin_addr, sizeof v4.sin_addr);
    } else if (any.sa_family == AF_INET6) {
      endpoint.family = 6;
      endpoint.port = ntohs(v6.sin6_port);
      std::memcpy(endpoint.address.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    }
    return endpoint;
  }
};

}  // namespace nsm::io
