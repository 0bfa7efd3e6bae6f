#include "link.h"

#include <array>
#include <utility>

namespace nsm::impair {

void Link::take(std::span<const std::uint8_t> bytes, std::size_t header_bytes, std::uint64_t now_ns) {
  statistics_.received++;
  const Fate fate = judge_.judge({bytes.size(), header_bytes, now_ns});
  count_lost(fate.lost);
  if (fate.lost == Lost::kNot) {
    DelayLine::Waiting datagram{now_ns + fate.delay_ns, 0, {bytes.begin(), bytes.end()}};
    if (fate.flipped_bit) {
      datagram.bytes[*fate.flipped_bit / 8] ^= static_cast<std::uint8_t>(1u << *fate.flipped_bit % 8);
      statistics_.corrupted++;
    }
    statistics_.held_back += fate.held_for > 0;
    statistics_.duplicated += fate.duplicate;
    if (fate.duplicate) put(DelayLine::Waiting(datagram), fate.held_for);
    put(std::move(datagram), fate.held_for);
  }
  line_.pass(now_ns);
}

void Link::put(DelayLine::Waiting&& datagram, std::uint64_t held_for) {
  if (!line_.put(std::move(datagram), held_for)) statistics_.no_room++;
}

void Link::count_lost(Lost lost) noexcept {
  switch (lost) {
    case Lost::kNot:
      return;
    case Lost::kRandom:
      statistics_.dropped++;
      return;
    case Lost::kBurst:
      statistics_.in_bursts++;
      return;
    case Lost::kTooBig:
      statistics_.too_big++;
      return;
    case Lost::kRateQueue:
      statistics_.rate_queue++;
      return;
  }
}

std::string to_json(const Statistics& s) {
  const std::pair<const char*, std::uint64_t> values[] = {
      {"received", s.received},   {"sent", s.sent},          {"duplicated", s.duplicated},
      {"corrupted", s.corrupted}, {"heldBack", s.held_back}, {"dropped", s.dropped},
      {"inBursts", s.in_bursts},  {"tooBig", s.too_big},     {"rateQueue", s.rate_queue},
      {"noRoom", s.no_room},      {"noPeer", s.no_peer},     {"refused", s.refused},
      {"overrun", s.overrun}};
  std::string json;
  for (const auto& [name, value] : values) {
    json += (json.empty() ? "{\"" : ",\"") + std::string(name) + "\":" + std::to_string(value);
  }
  return json + "}";
}

}  // namespace nsm::impair
