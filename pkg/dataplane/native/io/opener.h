// Middle stage of ingress: data messages are opened in batches, checked against
// replay and against what their wire may carry, and given to the writer.
//
//   datagram -> session by receiver index -> open -> replay -> inner addresses -> TunWriter
#pragma once

#include <array>
#include <memory>
#include <unordered_map>

#include "core/aead.h"
#include "core/keypair.h"
#include "io/ingress-port.h"
#include "io/udp-receiver.h"

namespace nsm::io {

// Owner: the ingress thread.
class Opener {
 public:
  explicit Opener(const IngressParts& parts) noexcept : parts_(parts) {}

  void install(WireguardIngress& port, std::unique_ptr<ReceiveKey> key);
  void drop(std::uint32_t local_index) noexcept { sessions_.erase(local_index); }

  // Takes a data message; it stays where it is until flush().
  void add(Bytes datagram, const SocketAddress& from) noexcept;
  // Opens what was taken and gives it to the writer, in order.
  void flush() noexcept;

 private:
  struct Session {
    WireguardIngress* port;
    std::unique_ptr<ReceiveKey> key;
  };
  struct Arrival {
    Session* session;
    const SocketAddress* from;
  };
  static constexpr std::size_t kCapacity = UdpReceiver::kMessages * UdpReceiver::kSegments;

  void open_run(std::size_t first, std::size_t end) noexcept;
  bool accept(Session& session, AeadJob& job) noexcept;
  void note_source(Session& session, const SocketAddress& from) noexcept;
  void confirm(Session& session, const Endpoint& source) noexcept;
  bool deliver(WireguardIngress& port, const AeadJob& job) noexcept;
  void deliver_packet(WireguardIngress& port, Bytes packet) noexcept;
  void deliver_frame(WireguardIngress& port, Bytes plaintext) noexcept;
  void note_path(WireguardIngress& port, ConstBytes plaintext) noexcept;

  IngressParts parts_;
  std::unordered_map<std::uint32_t, Session> sessions_;  // by our receiver index, which we chose at random
  std::array<AeadJob, kCapacity> jobs_;
  std::array<Arrival, kCapacity> arrivals_;
  std::size_t count_ = 0;
};

}  // namespace nsm::io
