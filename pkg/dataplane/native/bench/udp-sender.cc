#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "bench/sockets.h"
#include "bench/udp-load.h"

namespace nsm::bench {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kMostBytes = 9000;
constexpr std::uint64_t kTickNs = 100'000;  // packets that are due within one tick are sent together
constexpr double kNsPerSecond = 1e9;
constexpr int kMostAsks = 20;
constexpr timeval kAskTimeout{0, 250'000};

class Sender {
 public:
  Sender(int socket, std::size_t bytes, std::uint64_t trial) : socket_(socket) {
    for (std::size_t i = 0; i < kBatch; i++) {
      packets_[i] = {trial, 0};
      vectors_[i] = {datagrams_[i].data(), bytes};
      headers_[i] = {};
      headers_[i].msg_hdr.msg_iov = &vectors_[i];
      headers_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  // Sends up to `count` packets; the next call retries those that the kernel refuses for now.
  void send(std::uint64_t count) noexcept {
    const auto batch = static_cast<unsigned>(std::min<std::uint64_t>(count, kBatch));
    for (unsigned i = 0; i < batch; i++) {
      packets_[i].sequence = sent_ + i;
      std::memcpy(datagrams_[i].data(), &packets_[i], sizeof packets_[i]);
    }
    const int taken = sendmmsg(socket_, headers_.data(), batch, 0);
    if (taken > 0)
      sent_ += static_cast<std::uint64_t>(taken);
    else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
      fail_errno("send");
  }

  std::uint64_t sent() const noexcept { return sent_; }

 private:
  int socket_;
  std::uint64_t sent_ = 0;
  std::array<Packet, kBatch> packets_;
  std::array<std::array<std::uint8_t, kMostBytes>, kBatch> datagrams_{};
  std::array<iovec, kBatch> vectors_;
  std::array<mmsghdr, kBatch> headers_;
};

// Keeps the average rate from `start` on: a late tick is followed by a larger one. Returns ns.
std::uint64_t send_at_rate(Sender& sender, double per_ns, double seconds) {
  const std::uint64_t start = now_ns();
  const auto length = static_cast<std::uint64_t>(seconds * kNsPerSecond);
  std::uint64_t spent = 0;
  for (; spent < length; spent = now_ns() - start) {
    const auto due = static_cast<std::uint64_t>(static_cast<double>(spent) * per_ns) + 1;
    if (due > sender.sent()) {
      sender.send(due - sender.sent());
    } else {
      const auto next = static_cast<std::uint64_t>(static_cast<double>(sender.sent()) / per_ns);
      sleep_until_ns(start + std::max(next, spent + kTickNs));
    }
  }
  return spent;
}

// The request takes the same path as the packets, so it arrives after all those that still arrive.
Report ask(int socket, std::uint64_t trial) {
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kAskTimeout, sizeof kAskTimeout);
  const Packet question{trial, kAsk};
  for (int i = 0; i < kMostAsks; i++) {
    ::send(socket, &question, sizeof question, 0);
    Report report;
    if (recv(socket, &report, sizeof report, 0) == sizeof report && report.trial == trial) return report;
  }
  fail("no answer from the receiver");
}

void print(double asked, const Sender& sender, std::uint64_t spent_ns, const Report& report) {
  std::printf("{\"asked\":%.0f,\"sent\":%" PRIu64 ",\"received\":%" PRIu64 ",\"lost\":%" PRIu64
              ",\"duplicated\":%" PRIu64 ",\"reordered\":%" PRIu64
              ",\"sendSeconds\":%.6f,\"receiveSeconds\":%.6f}\n",
              asked, sender.sent(), report.received, sender.sent() - report.received, report.duplicated,
              report.reordered, static_cast<double>(spent_ns) / kNsPerSecond,
              static_cast<double>(report.last_ns - report.first_ns) / kNsPerSecond);
}

}  // namespace

int send_load(const Options& options) {
  const std::uint16_t port = options.port();
  const auto bytes = static_cast<std::size_t>(options.number("bytes", sizeof(Packet), kMostBytes));
  const double rate = options.number("rate", 1, 1e8);
  const double seconds = options.number("seconds", 0.01, 3600);
  if (rate * seconds > static_cast<double>(kMostPackets))
    fail("--rate times --seconds gives too many packets");
  const int socket = connect_socket(SOCK_DGRAM, address_of(options.text("ip"), port));
  const std::uint64_t trial = now_ns();
  const double warm_up = options.number("warm-up", 0, 60);
  static Sender warmer(socket, bytes, trial - 1), sender(socket, bytes, trial);
  wake_exactly();
  send_at_rate(warmer, rate / kNsPerSecond, warm_up);
  const std::uint64_t spent = send_at_rate(sender, rate / kNsPerSecond, seconds);
  print(rate * seconds, sender, spent, ask(socket, trial));
  return 0;
}

}  // namespace nsm::bench
