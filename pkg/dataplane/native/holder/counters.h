// What the holder refused or dropped, by reason; kCountersGet tells them under the id "holder".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace nsm::holder {

enum class Count : std::uint8_t {
  connections,          // local connections that were served
  refused_unattested,   // the kernel could not say, or no longer, who connected
  refused_limit,        // too many from one network namespace
  refused_deliver,      // nsmd did not come back within 5 s
  refused_peer,         // on control or dial: neither nsmd's user nor root
  refused_descriptors,  // the process is out of descriptors
  dials,
  refused_dials,
  descriptors_kept,
  descriptors_refused,    // neither a namespace nor a path nor a socket, or one too many
  descriptors_truncated,  // messages with more than the kernel could hand over
  malformed,              // frames on control, dial and engine sockets
  requests_refused,
  requests_overflow,  // the engine was away for too long
  replay_refused,     // an object that a restarted engine did not take back
  events_lost,        // rtnetlink events that the kernel dropped
  count
};

class Counters {
 public:
  static constexpr std::size_t kCount = static_cast<std::size_t>(Count::count);
  static constexpr std::array<std::string_view, kCount> kNames = {"connections",
                                                                  "refused_unattested",
                                                                  "refused_limit",
                                                                  "refused_deliver",
                                                                  "refused_peer",
                                                                  "refused_descriptors",
                                                                  "dials",
                                                                  "refused_dials",
                                                                  "descriptors_kept",
                                                                  "descriptors_refused",
                                                                  "descriptors_truncated",
                                                                  "malformed",
                                                                  "requests_refused",
                                                                  "requests_overflow",
                                                                  "replay_refused",
                                                                  "events_lost"};

  void add(Count name, std::uint64_t amount = 1) { values_[static_cast<std::size_t>(name)] += amount; }
  std::uint64_t at(std::size_t index) const { return values_[index]; }

 private:
  std::array<std::uint64_t, kCount> values_{};
};

}  // namespace nsm::holder
