// A batch of datagrams over loopback: all arrive in order, with and without UDP GSO.
#include "io/udp-sender.h"

#include <vector>

#include "io/fd.h"
#include "io/udp-receiver.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

using io::Fd;
using io::UdpSender;
using io::UdpTarget;
using Bytes = std::vector<std::uint8_t>;

// A socket that sends to another one over IPv4 or IPv6.
struct Loopback {
  explicit Loopback(int family = AF_INET) : sending(open(family)), receiving(open(family)) {
    io::Sockaddr address;
    address.any.sa_family = static_cast<sa_family_t>(family);
    if (family == AF_INET) address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (family == AF_INET6) address.v6.sin6_addr = in6addr_loopback;
    CHECK(bind(receiving.get(), &address.any, address.size()) == 0);
    socklen_t length = sizeof address;
    getsockname(receiving.get(), &address.any, &length);
    target = {sending.get(), address};
  }
  static Fd open(int family) { return Fd(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

  std::vector<Bytes> received() {
    std::vector<Bytes> datagrams;
    Bytes buffer(65536);
    for (ssize_t size; (size = recv(receiving.get(), buffer.data(), buffer.size(), 0)) >= 0;)
      datagrams.emplace_back(buffer.begin(), buffer.begin() + size);
    return datagrams;
  }

  Fd sending, receiving;
  UdpTarget target;
  Counters counters;
};

// Datagrams of the given lengths, back to back as in a batch; each is filled with its number.
struct Datagrams {
  explicit Datagrams(const std::vector<std::size_t>& lengths) {
    for (const std::size_t length : lengths) {
      all.emplace_back(length, static_cast<std::uint8_t>(all.size() + 1));
      memory.insert(memory.end(), all.back().begin(), all.back().end());
    }
    std::uint8_t* at = memory.data();
    for (const std::size_t length : lengths) {
      spans.push_back({at, static_cast<std::uint32_t>(length)});
      at += length;
    }
  }
  std::vector<Bytes> all;
  Bytes memory;
  std::vector<Datagram> spans;
};

void check_sent(const std::vector<std::size_t>& lengths) {
  for (const int family : {AF_INET, AF_INET6})
    for (const bool gso : {true, false}) {
      Loopback loopback(family);
      UdpSender sender(gso);
      Datagrams datagrams(lengths);
      sender.send(loopback.target, datagrams.spans, loopback.counters);
      CHECK(loopback.received() == datagrams.all);
      CHECK(loopback.counters.tx.at(Tx::packets) == lengths.size());
      CHECK(loopback.counters.tx.at(Tx::bytes) == datagrams.memory.size());
    }
}

TEST("datagrams of equal length arrive as separate datagrams") {
  check_sent(std::vector<std::size_t>(40, 1000));
}

TEST("a shorter datagram ends a GSO run, and the next run begins after it") {
  check_sent({1000, 1000, 1000, 400, 1000, 1000, 12});
}

TEST("datagrams of increasing length are sent one by one, in order") {
  check_sent({10, 20, 30, 40, 5, 50, 60});
}

TEST("more datagrams or bytes than one system call takes are sent with several") {
  check_sent(std::vector<std::size_t>(128, 64));
  check_sent(std::vector<std::size_t>(70, 1400));
  check_sent(std::vector<std::size_t>(6, 30'000));
}

TEST("an empty batch makes no system call and counts nothing") {
  Loopback loopback;
  UdpSender sender(true);
  sender.send(loopback.target, {}, loopback.counters);
  CHECK(loopback.received().empty() && loopback.counters.tx.at(Tx::packets) == 0);
}

TEST("a datagram that the kernel refuses is counted, and the following ones are sent") {
  Loopback loopback;
  UdpSender sender(false);
  Datagrams datagrams({65'536, 100});  // longer than any UDP datagram
  sender.send(loopback.target, datagrams.spans, loopback.counters);
  CHECK(loopback.counters.tx.at(Tx::refused) == 1 && loopback.counters.tx.at(Tx::packets) == 1);
  CHECK(loopback.received() == std::vector<Bytes>{datagrams.all[1]});
}

TEST("with a closed socket everything is refused") {
  Loopback loopback;
  UdpSender sender(true);
  Datagrams datagrams(std::vector<std::size_t>(3, 100));
  loopback.sending.reset();
  sender.send(loopback.target, datagrams.spans, loopback.counters);
  CHECK(loopback.counters.tx.at(Tx::refused) == 3 && loopback.counters.tx.at(Tx::packets) == 0);
}

TEST("a probe is sent unfragmented or not at all, and one that is too long is not counted as refused") {
  Loopback loopback;
  UdpSender sender(true);
  Datagrams datagrams({1000, 65'536});
  sender.send_whole(loopback.target, datagrams.spans[0], loopback.counters);
  sender.send_whole(loopback.target, datagrams.spans[1], loopback.counters);
  CHECK(loopback.received() == std::vector<Bytes>{datagrams.all[0]});
  CHECK(loopback.counters.tx.at(Tx::packets) == 1 && loopback.counters.tx.at(Tx::refused) == 0);
  int discovery = -1;
  socklen_t length = sizeof discovery;
  getsockopt(loopback.sending.get(), IPPROTO_IP, IP_MTU_DISCOVER, &discovery, &length);
  CHECK(discovery == IP_PMTUDISC_OMIT);  // the same as before the probe
}

}  // namespace
}  // namespace nsm::test
