#include "io/features.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "io/fd.h"
#include "io/sandbox.h"

namespace nsm::io {
namespace {

std::string on_off(const char* name, bool on) { return std::string(name) + (on ? "=on" : "=off"); }

}  // namespace

Offloads probe_offloads() noexcept {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int segment_bytes = 1400;
  const int on = 1;
  return {setsockopt(socket.get(), SOL_UDP, UDP_SEGMENT, &segment_bytes, sizeof segment_bytes) == 0,
          setsockopt(socket.get(), SOL_UDP, UDP_GRO, &on, sizeof on) == 0};
}

std::vector<std::string> describe_features(const Offloads& offloads, const AeadSuite& suite) {
  const AeadImplementation& aead = suite.preferred();
  return {on_off("udp_gso", offloads.udp_gso),
          on_off("udp_gro", offloads.udp_gro),
          on_off("seccomp", has_sandbox()),
          on_off("aes_256_gcm_accelerated", aead.accelerated(AeadAlgorithm::kAes256Gcm)),
          on_off("chacha20_poly1305_accelerated", aead.accelerated(AeadAlgorithm::kChaCha20Poly1305)),
          "aead=" + std::string(aead.name()),
          "threads=3"};
}

}  // namespace nsm::io
