// What the holder served, refused or dropped, by reason. kCountersGet returns them with the id "holder".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace nsm::holder {

enum class Count : std::uint8_t {
  connections,            // local connections that were served
  refused_unattested,     // the process that connected could not be attested
  refused_limit,          // too many connections from one network namespace or account
  refused_deliver,        // nsmd was not reachable for 5 s
  refused_peer,           // control and dial: neither nsmd's user nor root; cni: not root of the node
  refused_descriptors,    // the holder is out of descriptors
  dials,                  // connections to local endpoints that were made for nsmd
  refused_dials,          // endpoints that could not be reached or attested
  descriptors_kept,       // descriptors that clients passed and the holder keeps
  descriptors_refused,    // neither a namespace nor an O_PATH file nor a socket, or too many
  descriptors_truncated,  // messages with more descriptors than there was room for
  malformed,              // malformed messages on the control, dial and engine sockets
  requests_refused,       // requests of nsmd that were answered with an error
  requests_overflow,      // too many requests while the engine was away
  replay_refused,         // objects that a restarted engine refused
  events_lost,            // times that the kernel dropped rtnetlink events
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
