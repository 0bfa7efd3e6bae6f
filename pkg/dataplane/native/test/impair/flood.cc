// nsm-flood: sends UDP datagrams to one address from many spoofed sources; needs CAP_NET_RAW.
//
//   nsm-flood KIND ADDRESS PORT RATE SECONDS [PUBLIC_KEY_HEX]
//
// KIND: junk        the length and type of a handshake initiation, with a wrong mac1
//       initiation  the same with the valid mac1 for PUBLIC_KEY: the most that an attacker without keys can
//       do random      random length and random bytes
// RATE is in datagrams per second; 0: as fast as possible. The sources are 10.66.0.0 and the 4,095
// addresses after it.
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/cookie.h"
#include "core/messages.h"
#include "io/clock.h"

namespace nsm::impair {
namespace {

constexpr std::uint32_t kFirstSource = 0x0a420000;  // 10.66.0.0
constexpr std::uint32_t kSources = 4096;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kMaxPayload = 1400;

struct Headers {
  iphdr ip{};
  udphdr udp{};
};

enum class Kind { kJunk, kInitiation, kRandom };

class Flood {
 public:
  Flood(Kind kind, const sockaddr_in& target, const Key& key)
      : kind_(kind), target_(target), mac1_key_(mac1_key(key)) {
    for (std::size_t i = 0; i < kBatch; i++) {
      parts_[i] = {packets_[i].data(), 0};
      headers_[i].msg_hdr = {&target_, sizeof target_, &parts_[i], 1, nullptr, 0, 0};
    }
  }

  // Returns how many were sent.
  std::uint64_t run(int sock, std::uint64_t rate, std::uint64_t seconds) {
    const std::uint64_t start_ns = io::boot_ns();
    std::uint64_t sent = 0;
    for (std::uint64_t now_ns; (now_ns = io::boot_ns()) < start_ns + seconds * kNsPerSecond;) {
      if (rate > 0 && sent * kNsPerSecond / rate > now_ns - start_ns) {
        const timespec nap{0, 500'000};
        nanosleep(&nap, nullptr);
        continue;
      }
      for (std::size_t i = 0; i < kBatch; i++) parts_[i].iov_len = fill(packets_[i].data(), sent + i);
      const int count = sendmmsg(sock, headers_.data(), kBatch, 0);
      sent += static_cast<std::uint64_t>(std::max(count, 0));
    }
    return sent;
  }

 private:
  std::size_t fill(std::uint8_t* packet, std::uint64_t number) {
    const Bytes payload{packet + sizeof(Headers), payload_bytes()};
    for (std::size_t i = 0; i < payload.size(); i += 8) {
      const std::uint64_t random = random_();
      std::memcpy(payload.data() + i, &random, std::min<std::size_t>(8, payload.size() - i));
    }
    if (kind_ != Kind::kRandom) {
      constexpr std::uint8_t kType[4] = {1, 0, 0, 0};
      std::copy(std::begin(kType), std::end(kType), payload.begin());
    }
    if (kind_ == Kind::kInitiation) {
      const Mac mac = blake2s_mac(mac1_key_, before_mac1(payload));
      std::copy(mac.begin(), mac.end(), payload.end() - 2 * kMacBytes);
    }
    write_headers(packet, payload.size(), number);
    return sizeof(Headers) + payload.size();
  }

  std::size_t payload_bytes() {
    return kind_ == Kind::kRandom ? 1 + random_() % kMaxPayload : sizeof(Initiation);
  }

  // The kernel fills in the IP header's checksum and total length; over IPv4 the UDP checksum is optional.
  void write_headers(std::uint8_t* packet, std::size_t payload_bytes, std::uint64_t number) {
    Headers headers;
    headers.ip.version = 4;
    headers.ip.ihl = 5;
    headers.ip.ttl = 64;
    headers.ip.protocol = IPPROTO_UDP;
    headers.ip.saddr = htonl(kFirstSource + static_cast<std::uint32_t>(number % kSources));
    headers.ip.daddr = target_.sin_addr.s_addr;
    headers.udp.source = htons(static_cast<std::uint16_t>(1024 + number / kSources % 60'000));
    headers.udp.dest = target_.sin_port;
    headers.udp.len = htons(static_cast<std::uint16_t>(sizeof(udphdr) + payload_bytes));
    std::memcpy(packet, &headers, sizeof headers);
  }

  Kind kind_;
  sockaddr_in target_;
  Key mac1_key_;
  std::mt19937_64 random_{1};
  std::array<std::array<std::uint8_t, sizeof(Headers) + kMaxPayload>, kBatch> packets_;
  std::array<iovec, kBatch> parts_;
  std::array<mmsghdr, kBatch> headers_{};
};

bool read_key(const char* hex, Key& key) {
  if (std::strlen(hex) != 2 * kKeyBytes) return false;
  for (std::size_t i = 0; i < kKeyBytes; i++)
    if (std::sscanf(hex + 2 * i, "%2hhx", &key[i]) != 1) return false;
  return true;
}

int run(int count, char** arguments) {
  const std::string name = count > 1 ? arguments[1] : "";
  const Kind kind = name == "initiation" ? Kind::kInitiation : name == "junk" ? Kind::kJunk : Kind::kRandom;
  sockaddr_in target{};
  target.sin_family = AF_INET;
  Key key{};
  const bool known = kind != Kind::kRandom || name == "random";
  const bool has_key = count == 7 && read_key(arguments[6], key);
  if (!known || (count != 6 && !has_key) || (kind == Kind::kInitiation && !has_key) ||
      inet_pton(AF_INET, arguments[2], &target.sin_addr) != 1) {
    std::fputs("usage: nsm-flood junk|initiation|random ADDRESS PORT RATE SECONDS [PUBLIC_KEY_HEX]\n",
               stderr);
    return 2;
  }
  target.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(arguments[3], nullptr, 10)));
  const int sock = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (sock < 0) return std::perror("nsm-flood: cannot open a raw socket"), 1;
  static Flood flood(kind, target, key);
  const std::uint64_t sent =
      flood.run(sock, std::strtoull(arguments[4], nullptr, 10), std::strtoull(arguments[5], nullptr, 10));
  std::printf("{\"sent\":%llu}\n", static_cast<unsigned long long>(sent));
  return 0;
}

}  // namespace
}  // namespace nsm::impair

int main(int count, char** arguments) { return nsm::impair::run(count, arguments); }
