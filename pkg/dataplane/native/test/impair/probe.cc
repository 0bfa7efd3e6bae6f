// nsm-udp-probe: sends numbered UDP datagrams at a fixed rate, and reports what arrived.
//
//   receive PORT                          receives until standard input ends, then prints what arrived
//   send ADDRESS PORT RATE COUNT BYTES    RATE datagrams per second; prints how many were sent
//
// A datagram contains its number (u64), the CLOCK_REALTIME ns at which it was sent (u64), and bytes
// that are derived from these two. The receiver uses the kernel's receive timestamps, so that delays
// do not include its own scheduling.
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "io/clock.h"

namespace nsm::impair {
namespace {

constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kMaxBytes = 9000;
constexpr std::uint64_t kMaxNumber = 100'000'000;

// Depends on both numbers of the header.
std::uint64_t digest(std::uint64_t number, std::uint64_t sent_ns) noexcept {
  return number * 0x9e3779b97f4a7c15u ^ sent_ns * 0xbf58476d1ce4e5b9u;
}

std::uint8_t filler(std::uint64_t digest, std::size_t at) noexcept {
  return static_cast<std::uint8_t>((digest >> at % 8 * 8) + at * 13);
}

class Arrivals {
 public:
  void add(const std::uint8_t* bytes, std::size_t size, std::uint64_t arrived_ns) {
    std::uint64_t number = kMaxNumber, sent_ns = 0;
    if (size >= kHeaderBytes) {
      std::memcpy(&number, bytes, 8);
      std::memcpy(&sent_ns, bytes + 8, 8);
    }
    if (number >= kMaxNumber || !is_whole(digest(number, sent_ns), bytes, size)) {
      corrupted_++;
      return;
    }
    if (number >= seen_.size()) seen_.resize(std::max<std::size_t>(number + 1, seen_.size() * 2));
    if (seen_[number]) {
      duplicates_++;
      return;
    }
    seen_[number] = true;
    reordered_ += number < next_;
    next_ = std::max(next_, number + 1);
    if (last_ns_ != 0 && arrived_ns > last_ns_)
      longest_gap_ns_ = std::max(longest_gap_ns_, arrived_ns - last_ns_);
    last_ns_ = std::max(last_ns_, arrived_ns);
    delays_us_.push_back(
        static_cast<std::uint32_t>(arrived_ns > sent_ns ? (arrived_ns - sent_ns) / 1000 : 0));
  }

  void print() {
    std::sort(delays_us_.begin(), delays_us_.end());
    std::printf(
        "{\"received\":%zu,\"duplicates\":%llu,\"corrupted\":%llu,\"reordered\":%llu,\"gapMs\":%.3f,"
        "\"delayP50Ms\":%.3f,\"delayP99Ms\":%.3f,\"delayMaxMs\":%.3f,\"missing\":[%s]}\n",
        delays_us_.size(), ull(duplicates_), ull(corrupted_), ull(reordered_),
        static_cast<double>(longest_gap_ns_) / 1e6, delay_ms(0.5), delay_ms(0.99), delay_ms(1),
        missing().c_str());
  }

 private:
  static constexpr std::size_t kMissingShown = 20;
  static unsigned long long ull(std::uint64_t value) noexcept { return value; }

  static bool is_whole(std::uint64_t digest, const std::uint8_t* bytes, std::size_t size) noexcept {
    for (std::size_t i = kHeaderBytes; i < size; i++)
      if (bytes[i] != filler(digest, i)) return false;
    return true;
  }
  double delay_ms(double part) const noexcept {
    if (delays_us_.empty()) return 0;
    return delays_us_[static_cast<std::size_t>(part * static_cast<double>(delays_us_.size() - 1))] / 1e3;
  }
  // The first missing numbers below the greatest one received.
  std::string missing() const {
    std::string list;
    std::size_t shown = 0;
    for (std::uint64_t i = 0; i < next_ && shown < kMissingShown; i++) {
      if (!seen_[i]) list += (shown++ ? "," : "") + std::to_string(i);
    }
    return list;
  }

  std::vector<bool> seen_;
  std::vector<std::uint32_t> delays_us_;
  std::uint64_t next_ = 0, last_ns_ = 0, longest_gap_ns_ = 0;
  std::uint64_t duplicates_ = 0, corrupted_ = 0, reordered_ = 0;
};

int open_socket() {
  const int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int buffer = 32 << 20, on = 1, off = 0;
  setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
  setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  return sock;
}

// False if no datagram is waiting.
bool receive_one(int sock, Arrivals& arrivals) {
  static std::uint8_t bytes[kMaxBytes];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
  iovec part{bytes, sizeof bytes};
  msghdr message{nullptr, 0, &part, 1, control, sizeof control, 0};
  const ssize_t size = recvmsg(sock, &message, MSG_DONTWAIT);
  if (size < 0) return false;
  timespec arrived{};
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message))
    std::memcpy(&arrived, CMSG_DATA(header), sizeof arrived);
  arrivals.add(bytes, static_cast<std::size_t>(size),
               static_cast<std::uint64_t>(arrived.tv_sec) * kNsPerSecond +
                   static_cast<std::uint64_t>(arrived.tv_nsec));
  return true;
}

int receive(std::uint16_t port) {
  const int sock = open_socket();
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  if (bind(sock, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return std::perror("bind"), 1;
  std::puts("listening");
  std::fflush(stdout);
  Arrivals arrivals;
  pollfd ready[] = {{sock, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  while (ready[1].revents == 0) {
    poll(ready, 2, -1);
    while (receive_one(sock, arrivals)) {
    }
  }
  arrivals.print();
  return 0;
}

struct Plan {
  std::uint64_t rate, count;
  std::size_t bytes;
};

// Late datagrams are sent at once, so that the average rate is right.
std::uint64_t send_all(int sock, const Plan& plan) {
  constexpr std::uint64_t kNapNs = 100'000;
  std::vector<std::uint8_t> bytes(plan.bytes);
  const std::uint64_t start_ns = io::boot_ns();
  std::uint64_t refused = 0;
  for (std::uint64_t number = 0; number < plan.count;) {
    const std::uint64_t now_ns = io::boot_ns();
    const std::uint64_t due_ns = start_ns + number * kNsPerSecond / plan.rate;
    if (due_ns > now_ns) {
      const timespec nap{0, static_cast<long>(std::min(std::max(due_ns - now_ns, kNapNs), kNsPerSecond - 1))};
      nanosleep(&nap, nullptr);
      continue;
    }
    const std::uint64_t sent_ns = io::read_clock(CLOCK_REALTIME);
    std::memcpy(bytes.data(), &number, 8);
    std::memcpy(bytes.data() + 8, &sent_ns, 8);
    const std::uint64_t filling = digest(number, sent_ns);
    for (std::size_t i = kHeaderBytes; i < bytes.size(); i++) bytes[i] = filler(filling, i);
    if (send(sock, bytes.data(), bytes.size(), 0) < 0) refused++;
    number++;
  }
  return refused;
}

int send_to(const std::string& host, std::uint16_t port, const Plan& plan) {
  const int sock = open_socket();
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  const std::string mapped = host.find(':') == std::string::npos ? "::ffff:" + host : host;
  if (inet_pton(AF_INET6, mapped.c_str(), &address.sin6_addr) != 1 || plan.rate == 0 ||
      plan.bytes < kHeaderBytes || plan.bytes > kMaxBytes) {
    return std::fputs("nsm-udp-probe: wrong address, rate or size\n", stderr), 2;
  }
  if (connect(sock, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return std::perror("connect"), 1;
  const std::uint64_t refused = send_all(sock, plan);
  std::printf("{\"sent\":%llu,\"refused\":%llu}\n", static_cast<unsigned long long>(plan.count),
              static_cast<unsigned long long>(refused));
  return 0;
}

}  // namespace
}  // namespace nsm::impair

int main(int count, char** arguments) {
  const auto number = [&](int at) { return std::strtoull(arguments[at], nullptr, 10); };
  const std::string what = count > 1 ? arguments[1] : "";
  if (what == "receive" && count == 3) return nsm::impair::receive(static_cast<std::uint16_t>(number(2)));
  if (what == "send" && count == 7)
    return nsm::impair::send_to(arguments[2], static_cast<std::uint16_t>(number(3)),
                                {number(4), number(5), number(6)});
  std::fputs("usage: nsm-udp-probe receive PORT | send ADDRESS PORT RATE COUNT BYTES\n", stderr);
  return 2;
}
