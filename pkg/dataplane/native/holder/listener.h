// The sockets to which workloads connect. Each connection is attested and relayed to
// nsmd's deliver socket, where a kPreface says who it is.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "holder/acceptor.h"
#include "holder/options.h"
#include "holder/pace.h"
#include "holder/sessions.h"

namespace nsm::holder {

class Listener {
 public:
  Listener(EventLoop& loop, Sessions& sessions, Counters& counters, const Options& options)
      : loop_(loop), sessions_(sessions), counters_(counters), options_(options) {}

  // `from` must outlive the listener.
  void serve(const ListenSocket& from, Fd socket);

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  void admit(const ListenSocket& from, Fd connection);
  bool is_over_limit(const Session& session) const;
  // Delivers the connection when its account may have another one; drops it when it has closed meanwhile.
  void wait_for_turn(std::uint64_t id, std::shared_ptr<Fd> client);
  // Retries until the deadline, because nsmd may be restarting: clients then see a delay, not an error.
  void deliver(std::uint64_t id, std::shared_ptr<Fd> client, Deadline deadline);
  // Logs once, with the reason, that nsmd is not reachable.
  void note_delivery(const Status& status);

  EventLoop& loop_;
  Sessions& sessions_;
  Counters& counters_;
  const Options& options_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  Pace pace_;
  bool is_nsmd_away_ = false;
};

}  // namespace nsm::holder
