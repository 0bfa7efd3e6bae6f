#include <sys/socket.h>

#include <array>
#include <cstring>
#include <vector>

#include "bench/sockets.h"
#include "bench/udp-load.h"

namespace nsm::bench {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kBytes = 2048;  // room for the whole datagram, as in an application

class Trial {
 public:
  void count(const Packet& packet, std::uint64_t now) {
    if (packet.trial > report_.trial) begin(packet.trial, now);
    if (packet.trial < report_.trial) return;  // a late packet of an earlier trial or of the warm-up
    if (packet.sequence >= kMostPackets) return;
    if (packet.sequence >= seen_.size()) seen_.resize((packet.sequence + 1) * 2);
    if (seen_[packet.sequence]) {
      report_.duplicated++;
      return;
    }
    seen_[packet.sequence] = true;
    report_.received++;
    report_.last_ns = now;
    if (packet.sequence < next_)
      report_.reordered++;
    else
      next_ = packet.sequence + 1;
  }

  const Report& report() const noexcept { return report_; }

 private:
  void begin(std::uint64_t trial, std::uint64_t now) {
    report_ = {trial, 0, 0, 0, now, now};
    next_ = 0;
    seen_.assign(seen_.size(), false);
  }

  Report report_{};
  std::uint64_t next_ = 0;  // one more than the highest sequence number received
  std::vector<bool> seen_;
};

// Buffers for a batch of datagrams and their source addresses.
struct Batch {
  std::array<std::array<std::uint8_t, kBytes>, kBatch> bytes;
  std::array<iovec, kBatch> vectors;
  std::array<Address, kBatch> sources;
  std::array<mmsghdr, kBatch> headers;

  int receive(int socket) noexcept {
    for (std::size_t i = 0; i < kBatch; i++) {
      vectors[i] = {bytes[i].data(), kBytes};
      headers[i] = {};
      headers[i].msg_hdr.msg_name = &sources[i].storage;
      headers[i].msg_hdr.msg_namelen = sizeof sources[i].storage;
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    return recvmmsg(socket, headers.data(), kBatch, MSG_WAITFORONE, nullptr);
  }
};

}  // namespace

int receive_load(const Options& options) {
  const std::uint16_t port = options.port();
  const int socket = bind_socket(SOCK_DGRAM, address_of(options.text("ip"), port));
  static Batch batch;
  Trial trial;
  for (;;) {
    const int count = batch.receive(socket);
    const std::uint64_t now = now_ns();
    for (int i = 0; i < count; i++) {
      Packet packet;
      if (batch.headers[i].msg_len < sizeof packet) continue;
      std::memcpy(&packet, batch.bytes[i].data(), sizeof packet);
      if (packet.sequence != kAsk) {
        trial.count(packet, now);
      } else {
        const msghdr& from = batch.headers[i].msg_hdr;
        sendto(socket, &trial.report(), sizeof(Report), 0, static_cast<sockaddr*>(from.msg_name),
               from.msg_namelen);
      }
    }
  }
}

}  // namespace nsm::bench
