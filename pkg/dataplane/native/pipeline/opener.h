// Second stage of ingress for wireguard ports: data messages are opened in batches
// and checked against replay.
//
//   data message -> session by receiver index -> open -> replay window -> WireguardIngress
#pragma once

#include <array>
#include <memory>
#include <unordered_map>

#include "core/aead.h"
#include "core/keypair.h"
#include "core/messages.h"
#include "pipeline/wireguard-ingress.h"

namespace nsm {

// Owner: the ingress thread. The sessions of all WireGuard underlays.
class Opener {
 public:
  explicit Opener(const IngressParts& parts) noexcept : parts_(parts) {}

  void install(WireguardIngress& port, std::unique_ptr<ReceiveKey> key);
  void drop(std::uint32_t local_index) noexcept { sessions_.erase(local_index); }

  // Takes a data message with the given header. The message and `origin.from` stay where
  // they are until flush().
  void add(const DataAddress& address, Bytes datagram, const Origin& origin) noexcept;
  // Opens all that was added and delivers it in order.
  void flush(std::uint64_t now_ns) noexcept;

 private:
  static constexpr std::size_t kCapacity = 1024;  // data messages; a batch of the receiver rarely has more
  struct Session {
    WireguardIngress* port;
    std::unique_ptr<ReceiveKey> key;
  };
  struct Arrival {
    Session* session;
    const SocketAddress* from;
  };
  struct Run {  // consecutive messages of one session
    std::span<AeadJob> jobs;
    std::span<const Arrival> arrivals;
    std::uint64_t now_ns;
  };

  void open(const Run& run) noexcept;
  bool accept(Session& session, AeadJob& job) noexcept;
  void note_source(Session& session, const SocketAddress& from) noexcept;
  void confirm(Session& session, const SocketAddress& from) noexcept;
  bool deliver(WireguardIngress& port, const AeadJob& job, std::uint64_t now_ns) noexcept;
  void note_probe(WireguardIngress& port, ConstBytes plaintext, std::uint64_t now_ns) noexcept;

  IngressParts parts_;
  std::unordered_map<std::uint32_t, Session> sessions_;  // by our receiver index, which is random
  std::array<AeadJob, kCapacity> jobs_;
  std::array<Arrival, kCapacity> arrivals_;
  std::size_t count_ = 0;
};

}  // namespace nsm
