// The sockets where workloads connect. Each connection is attested, carried to
// nsmd's deliver socket, and preceded there by who it is.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "holder/acceptor.h"
#include "holder/options.h"
#include "holder/sessions.h"

namespace nsm::holder {

class Listener {
 public:
  Listener(EventLoop& loop, Sessions& sessions, Counters& counters, const Options& options)
      : loop_(loop), sessions_(sessions), counters_(counters), options_(options) {}

  void serve(const std::string& name, Fd socket);

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  void admit(const std::string& name, Fd connection);
  bool is_over_limit(const Session& session) const;
  // nsmd may be restarting: tries until the deadline, so that clients see a pause and no refusal.
  void deliver(std::uint64_t id, std::shared_ptr<Fd> client, Deadline deadline);
  // Says in the log that nsmd went away, and why, once until it is back.
  void note_delivery(const Status& status);

  EventLoop& loop_;
  Sessions& sessions_;
  Counters& counters_;
  const Options& options_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  bool is_nsmd_away_ = false;
};

}  // namespace nsm::holder
