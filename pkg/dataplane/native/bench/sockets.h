// The sockets and the clock of the load tools.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

namespace nsm::bench {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;

  sockaddr* any() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

// `ip` is an address literal of either family.
Address address_of(const std::string& ip, std::uint16_t port);

// Any failure ends the program with a message.
int bind_socket(int type, Address at);
int connect_socket(int type, Address to);

std::uint64_t now_ns() noexcept;  // CLOCK_MONOTONIC
void sleep_until_ns(std::uint64_t when) noexcept;
// Makes sleeps end on time, and not up to 50 us later as by default (timer slack).
void wake_exactly() noexcept;

}  // namespace nsm::bench
