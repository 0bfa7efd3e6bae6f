#include "io/admit-frame.h"

#include <algorithm>

#include "core/framed.h"

namespace nsm::io {
namespace {

std::nullopt_t refuse(Tx why, Counters& counters) noexcept {
  counters.tx.add(why);
  return std::nullopt;
}

}  // namespace

std::optional<GsoPacket> admit_frame(const TunPacket& frame, std::uint32_t mtu_bytes,
                                     Counters& counters) noexcept {
  if (frame.bytes.size() < kEthernetBytes) return refuse(Tx::malformed, counters);
  const std::size_t link = link_header_bytes(frame.bytes);
  const auto segments = GsoPacket::parse(frame.header, frame.bytes, link);
  if (!segments) return refuse(Tx::malformed, counters);
  const std::size_t most = std::min<std::size_t>(link + mtu_bytes, kMaxFrameBytes);
  return segments->segment_bytes() <= most ? segments : refuse(Tx::oversize, counters);
}

}  // namespace nsm::io
