#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cinttypes>
#include <cstdio>
#include <vector>

#include "bench/round-trip.h"
#include "bench/sockets.h"

namespace nsm::bench {
namespace {

constexpr double kNsPerSecond = 1e9;
constexpr std::uint64_t kLastAnswersNs =
    1'000'000'000;  // how long to wait for answers after the last request

struct Question {
  std::uint64_t run;  // distinguishes late answers to an earlier run
  std::uint64_t sent_ns;
};

int connect_to(const Options& options, int type) {
  const std::uint16_t port = options.port();
  return connect_socket(type, address_of(options.text("ip"), port));
}

std::uint64_t length_ns(const Options& options) {
  return static_cast<std::uint64_t>(options.number("seconds", 0.01, 3600) * kNsPerSecond);
}

void wait_readable(int socket, std::uint64_t until) {
  const std::uint64_t now = now_ns();
  const std::uint64_t left = until > now ? until - now : 0;
  const timespec timeout{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  pollfd polled{socket, POLLIN, 0};
  ppoll(&polled, 1, &timeout, nullptr);
}

class RoundTrips {
 public:
  RoundTrips(int socket, std::uint64_t run) : socket_(socket), run_(run) {}

  // Requests are sent on schedule, whether or not earlier ones were answered: waiting for the answer
  // would hide long latencies (coordinated omission).
  void ask() {
    const Question question{run_, now_ns()};
    if (send(socket_, &question, sizeof question, 0) == sizeof question) asked_++;
  }

  void read_answers(std::uint64_t until) {
    while (now_ns() < until && taken_ns_.size() < asked_) {
      wait_readable(socket_, until);
      Question answer;
      while (recv(socket_, &answer, sizeof answer, MSG_DONTWAIT) == sizeof answer) {
        if (answer.run == run_) taken_ns_.push_back(now_ns() - answer.sent_ns);
      }
    }
  }

  void print() const {
    std::printf("{\"asked\":%" PRIu64 ",\"microseconds\":[", asked_);
    const char* separator = "";
    for (const std::uint64_t taken : taken_ns_) {
      std::printf("%s%.1f", separator, static_cast<double>(taken) / 1e3);
      separator = ",";
    }
    std::puts("]}");
  }

 private:
  int socket_;
  std::uint64_t run_;
  std::uint64_t asked_ = 0;
  std::vector<std::uint64_t> taken_ns_;
};

}  // namespace

int measure_tcp(const Options& options) {
  const int socket = connect_to(options, SOCK_STREAM);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::uint64_t start = now_ns();
  const std::uint64_t length = length_ns(options);
  std::uint64_t transactions = 0;
  std::uint64_t spent = 0;
  for (; spent < length; spent = now_ns() - start) {
    char byte = 0;
    if (send(socket, &byte, 1, MSG_NOSIGNAL) != 1 || recv(socket, &byte, 1, 0) != 1) fail_errno("ask");
    transactions++;
  }
  std::printf("{\"transactions\":%" PRIu64 ",\"seconds\":%.6f}\n", transactions,
              static_cast<double>(spent) / kNsPerSecond);
  return 0;
}

int measure_udp(const Options& options) {
  const int socket = connect_to(options, SOCK_DGRAM);
  const auto interval = static_cast<std::uint64_t>(kNsPerSecond / options.number("rate", 1, 100'000));
  wake_exactly();
  const std::uint64_t start = now_ns();
  RoundTrips trips(socket, start);
  std::uint64_t next = start;
  for (const std::uint64_t end = start + length_ns(options); next < end; next += interval) {
    trips.read_answers(next);
    sleep_until_ns(next);
    trips.ask();
  }
  trips.read_answers(now_ns() + kLastAnswersNs);
  trips.print();
  return 0;
}

}  // namespace nsm::bench
