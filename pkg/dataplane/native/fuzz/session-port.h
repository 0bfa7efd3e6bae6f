// A WireGuard port as the ingress thread has it, and one session of it for each input.
#pragma once

#include "delivery.h"
#include "io/clock.h"
#include "io/opener.h"

namespace nsm::fuzz {

class SessionPort {
 public:
  // The addresses that may pass: 10.0.0.0/8 and fd00::/8, on both sides.
  SessionPort() {
    port_.counters = &counters_;
    port_.device = &delivery_.device;
    port_.activity = &activity_;
    port_.hold = &hold_;
    port_.path_mtu = &path_mtu_;
    port_.rules = std::make_unique<io::InnerRules>();
    for (PrefixList* side : {&port_.rules->local, &port_.rules->remote}) {
      require(side->add({.family = 4, .length = 8, .address = {10}}));
      require(side->add({.family = 6, .length = 8, .address = {0xfd}}));
    }
  }

  // Its key takes the place of the one before.
  void start(io::Payload payload, std::unique_ptr<ReceiveKey> key) {
    port_.rules->payload = payload;
    opener_.install(port_, std::move(key));
    hold_ = false;
  }

  // `datagram` stays where it is until flush().
  void add(Bytes datagram) { opener_.add(datagram, from_); }
  void flush() {
    opener_.flush();
    writer_.flush();
  }

  // In all that came so far, each datagram once.
  std::uint64_t counted() const {
    return sum(engine_, {io::Rx::malformed, io::Rx::unknown_index}) +
           sum(counters_, {io::Rx::packets, io::Rx::auth_failed, io::Rx::replay, io::Rx::expired});
  }
  std::vector<std::vector<std::uint8_t>> delivered() { return delivery_.take(); }
  // How often the control thread was told, since it was last asked, that the key is in use.
  std::size_t confirmations() {
    std::size_t count = 0;
    for (io::Note note; notes_.pop(note);)
      count += std::holds_alternative<io::ConfirmNote>(note.what) ? 1 : 0;
    return count;
  }

 private:
  io::Counters engine_, counters_;
  io::Doorbell bell_;
  io::Notes notes_{bell_};
  io::TunWriter writer_;
  Delivery delivery_;
  Activity activity_;
  std::atomic<bool> hold_{false};
  std::atomic<std::uint32_t> path_mtu_{65535};
  io::SocketAddress from_{Endpoint{.family = 4, .port = 1, .address = {192, 0, 2, 1}}};
  io::WireguardIngress port_;
  io::Opener opener_{{engine_, notes_, writer_}};
};

}  // namespace nsm::fuzz
