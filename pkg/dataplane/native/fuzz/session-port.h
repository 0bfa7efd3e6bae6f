// A WireGuard port as in the ingress thread, with a new session for each input.
#pragma once

#include "delivery.h"
#include "pipeline/wireguard-dispatch.h"

namespace nsm::fuzz {

class SessionPort {
 public:
  static constexpr std::uint64_t kNowNs = 1000 * kNsPerSecond;  // CLOCK_BOOTTIME, which never advances here

  // The allowed addresses: 10.0.0.0/8 and fd00::/8 on both sides.
  SessionPort() {
    port_.device = &device_;
    port_.activity = &activity_;
    port_.hold = &hold_;
    port_.path_mtu = &path_mtu_;
    port_.rules = std::make_unique<InnerRules>();
    for (PrefixList* side : {&port_.rules->local, &port_.rules->remote}) {
      require(side->add({.family = 4, .length = 8, .address = {10}}));
      require(side->add({.family = 6, .length = 8, .address = {0xfd}}));
    }
  }

  // The new key replaces the previous one.
  void start(Payload payload, std::unique_ptr<ReceiveKey> key) {
    port_.rules->payload = payload;
    opener_.install(port_, std::move(key));
    hold_ = false;
  }

  // `datagram` must stay valid until flush().
  void add(Bytes datagram) {
    handshakes_ += is_handshake(datagram) && !is_message<Initiation>(datagram)
                       ? 1
                       : 0;  // corrupted into a handshake message
    dispatch_.take(datagram, {from_, kNowNs});
  }
  void flush() {
    dispatch_.flush(kNowNs);
    joiner_.flush();
  }

  // All datagrams so far; each is counted exactly once.
  std::uint64_t counted() const {
    return handshakes_ + sum(engine_, {Rx::malformed, Rx::unknown_index, Rx::bad_mac1}) +
           sum(counters_, {Rx::packets, Rx::auth_failed, Rx::replay, Rx::expired});
  }
  std::vector<test::Packet> delivered() { return fuzz::delivered(device_); }
  // How many notes that the key is in use were written since the last call.
  std::size_t confirmations() {
    return static_cast<std::size_t>(std::ranges::count_if(
        notes_.take(), [](const Note& note) { return std::holds_alternative<ConfirmNote>(note.what); }));
  }

 private:
  Counters engine_, counters_;
  std::uint64_t handshakes_ = 0;
  test::FakeNotes notes_;
  FlowJoiner joiner_;
  test::FakeDevice device_{false};  // without USO, so that UDP packets are not joined
  Activity activity_;
  std::atomic<bool> hold_{false};
  std::atomic<std::uint32_t> path_mtu_{65535};
  const SocketAddress from_{.family = 4, .port = 1, .address = {192, 0, 2, 1}};
  WireguardIngress port_{counters_};
  Opener opener_{{engine_, notes_, joiner_}};
  WireguardDispatch dispatch_{1, Key{}, {{engine_, notes_, joiner_}, opener_}};
};

}  // namespace nsm::fuzz
