#include "io/features.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "io/fd.h"
#include "io/priority.h"
#include "io/sandbox.h"

namespace nsm::io {
namespace {

std::string on_off(const char* name, bool on) { return std::string(name) + (on ? "=on" : "=off"); }

}  // namespace

Offloads probe_offloads(const OffloadSet& wanted) noexcept {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto takes = [&](int option, int value) {
    return setsockopt(socket.get(), SOL_UDP, option, &value, sizeof value) == 0;
  };
  return {wanted.has(Offload::udp_gso) && takes(UDP_SEGMENT, 1400),
          wanted.has(Offload::udp_gro) && takes(UDP_GRO, 1), wanted.has(Offload::tun_tso),
          wanted.has(Offload::tun_uso), has_priority()};
}

std::vector<std::string> describe_features(const Offloads& offloads, const AeadSuite& suite) {
  const AeadImplementation& aead = suite.preferred();
  return {on_off("udp_gso", offloads.udp_gso),
          on_off("udp_gro", offloads.udp_gro),
          on_off("priority", offloads.priority),
          on_off("seccomp", has_sandbox()),
          on_off("aes_256_gcm_accelerated", aead.accelerated(AeadAlgorithm::kAes256Gcm)),
          on_off("chacha20_poly1305_accelerated", aead.accelerated(AeadAlgorithm::kChaCha20Poly1305)),
          "aead=" + std::string(aead.name()),
          "threads=3"};
}

}  // namespace nsm::io
