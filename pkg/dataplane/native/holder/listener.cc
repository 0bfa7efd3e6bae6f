#include "holder/listener.h"

#include <cstdio>
#include <utility>

namespace nsm::holder {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto kDeliverTimeout = 5s;
constexpr auto kDeliverRetry = 50ms;

}  // namespace

void Listener::serve(const std::string& name, Fd socket) {
  acceptors_.push_back(std::make_unique<Acceptor>(loop_, counters_, std::move(socket)));
  acceptors_.back()->serve([this, name](Fd connection) { admit(name, std::move(connection)); });
}

void Listener::admit(const std::string& name, Fd connection) {
  Session* session = nullptr;
  if (!sessions_.open(connection.get(), name, session).ok()) return counters_.add(Count::refused_unattested);
  if (is_over_limit(*session)) {
    counters_.add(Count::refused_limit);
    return sessions_.close(session->id);
  }
  deliver(session->id, std::make_shared<Fd>(std::move(connection)), steady_clock::now() + kDeliverTimeout);
}

bool Listener::is_over_limit(const Session& session) const {
  // The node's root is exempt; a container's root is not.
  if (session.peer.uid == 0 && sessions_.is_in_own_namespace(session)) return false;
  return sessions_.count_from(*session.ns) > options_.max_connections_per_namespace;
}

void Listener::deliver(std::uint64_t id, std::shared_ptr<Fd> client, Deadline deadline) {
  Session* session = sessions_.find(id);
  if (session == nullptr) return;
  Fd nsmd;
  const Status status = connect_unix(options_.deliver, nsmd);
  note_delivery(status);
  if (status.ok()) {
    counters_.add(Count::connections);
    return sessions_.start(*session, {std::move(*client), std::move(nsmd)}, preface(*session, 0));
  }
  if (steady_clock::now() >= deadline) {
    counters_.add(Count::refused_deliver);
    return sessions_.close(id);
  }
  loop_.after(kDeliverRetry, [this, id, client, deadline] { deliver(id, client, deadline); });
}

void Listener::note_delivery(const Status& status) {
  if (std::exchange(is_nsmd_away_, !status.ok()) || status.ok()) return;
  std::fprintf(stderr, "nsm-dataplane: nsmd is not reachable, local clients have to wait: %s\n",
               status.text.c_str());
}

}  // namespace nsm::holder
