#include "pipeline/wireguard-dispatch.h"

#include <algorithm>

#include "core/messages.h"

namespace nsm {

void WireguardDispatch::take(Bytes datagram, const Origin& origin) noexcept {
  if (const auto data = read_data_header(datagram)) {
    parts_.opener.add(*data, datagram, origin);
  } else if (is_handshake(datagram)) {
    note_handshake(datagram, origin.from);
  } else {
    parts_.stages.engine.rx.add(Rx::malformed);
  }
}

void WireguardDispatch::note_handshake(ConstBytes datagram, const SocketAddress& from) noexcept {
  auto& rx = parts_.stages.engine.rx;
  if (is_message<Initiation>(datagram) && !filter_.passes(datagram)) return rx.add(Rx::bad_mac1);
  HandshakeNote note{from, static_cast<std::uint8_t>(datagram.size()), {}};
  std::copy(datagram.begin(), datagram.end(), note.bytes.begin());
  if (!parts_.stages.notes.push({number_, note})) rx.add(Rx::queue_full);
}

}  // namespace nsm
