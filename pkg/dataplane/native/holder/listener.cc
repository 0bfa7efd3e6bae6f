#include "holder/listener.h"

#include <sys/socket.h>

#include <cstdio>
#include <utility>

namespace nsm::holder {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto kDeliverTimeout = 5s;
constexpr auto kDeliverRetry = 50ms;
constexpr auto kPaceRetry = 100ms;

// The node's root is exempt from limits; a container's root is not.
bool is_nodes_root(const Session& session) { return session.peer.uid == 0 && session.peer.is_nodes_own; }

bool has_closed(const Fd& client) {
  char byte;
  return recv(client.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

void Listener::serve(const ListenSocket& from, Fd socket) {
  acceptors_.push_back(std::make_unique<Acceptor>(loop_, counters_, std::move(socket)));
  acceptors_.back()->serve([this, &from](Fd connection) { admit(from, std::move(connection)); });
}

void Listener::admit(const ListenSocket& from, Fd connection) {
  // First, because attestation costs most, and who connects and closes in a loop is gone by now.
  if (has_closed(connection)) return counters_.add(Count::refused_unattested);
  Session* session = nullptr;
  if (!sessions_.open(connection.get(), from.name, session).ok())
    return counters_.add(Count::refused_unattested);
  if (from.clients == Clients::kNodesRoot) {
    // Root of a container may see the socket's file, but must not speak for other pods.
    if (!is_nodes_root(*session)) {
      counters_.add(Count::refused_peer);
      return sessions_.close(session->id);
    }
    session->may_name_namespaces = true;
  }
  if (is_over_limit(*session)) {
    counters_.add(Count::refused_limit);
    return sessions_.close(session->id);
  }
  wait_for_turn(session->id, std::make_shared<Fd>(std::move(connection)));
}

void Listener::wait_for_turn(std::uint64_t id, std::shared_ptr<Fd> client) {
  const Session* session = sessions_.find(id);
  if (session == nullptr) return;
  if (has_closed(*client)) return sessions_.close(id);
  const auto now = steady_clock::now();
  if (is_nodes_root(*session) || pace_.take(session->peer.account, now))
    return deliver(id, client, now + kDeliverTimeout);
  loop_.after(kPaceRetry, [this, id, client] { wait_for_turn(id, client); });
}

bool Listener::is_over_limit(const Session& session) const {
  return !is_nodes_root(session) &&
         (sessions_.count_from(*session.ns) > options_.max_connections_per_namespace ||
          sessions_.count_of(session.peer.account) > options_.max_connections_per_account);
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
