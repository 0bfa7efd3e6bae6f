// Repeatable random numbers for tests.
#pragma once

#include <random>

#include "core/environment.h"

namespace nsm::test {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(Bytes out) noexcept override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
  }
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }

 private:
  std::mt19937_64 engine_;
};

inline SocketAddress address4(std::uint32_t address, std::uint16_t port) {
  SocketAddress e;
  e.family = 4;
  e.port = port;
  store_be32(e.address.data(), address);
  return e;
}

}  // namespace nsm::test
