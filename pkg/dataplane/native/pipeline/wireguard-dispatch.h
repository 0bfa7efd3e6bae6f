// First stage of ingress for wireguard ports: data messages go on to the opener,
// handshake messages to the control thread.
#pragma once

#include "core/wireguard-machine.h"
#include "pipeline/opener.h"

namespace nsm {

// One WireGuard underlay. All of them share the opener, because a receiver index names
// its session whatever underlay the datagram arrives through.
class WireguardDispatch final : public IngressUnderlay {
 public:
  struct Parts {
    IngressParts stages;
    Opener& opener;
  };
  // `number` names the underlay in notes. `public_key` is the node's responder key.
  WireguardDispatch(std::uint32_t number, const Key& public_key, const Parts& parts) noexcept
      : number_(number), filter_(public_key), parts_(parts) {}

  void take(Bytes datagram, const Origin& origin) noexcept override;
  void flush(std::uint64_t now_ns) noexcept override { parts_.opener.flush(now_ns); }

 private:
  void note_handshake(ConstBytes datagram, const SocketAddress& from) noexcept;

  const std::uint32_t number_;
  const Mac1Filter filter_;
  const Parts parts_;
};

}  // namespace nsm
