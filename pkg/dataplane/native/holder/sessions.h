// The connections of local programs that the holder relays to and from nsmd: the
// attestation of the program, the descriptors that it passed, and the relay.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "holder/attestation.h"
#include "holder/counters.h"
#include "holder/namespaces.h"
#include "holder/relay.h"

namespace nsm::holder {

struct Session {
  std::uint64_t id = 0;
  Attestation peer;
  NamespaceRef ns;                        // known as long as the session exists
  std::string listener;                   // empty: the holder connected to the program
  std::map<NamespaceId, Fd> descriptors;  // by (dev, ino)
  bool may_name_namespaces = false;       // requests may name the network namespaces that it passed
  std::vector<NamespaceRef> named;        // these, known as long as the session exists
  std::unique_ptr<Relay> relay;
};

class Sessions {
 public:
  Sessions(EventLoop& loop, const Attestor& attestor, Namespaces& namespaces, Counters& counters)
      : loop_(loop), attestor_(attestor), namespaces_(namespaces), counters_(counters) {}

  // Attests the process at the other end of `socket` and opens a session.
  Status open(int socket, std::string listener, Session*& session);
  void start(Session& session, Relay::Ends ends, protocol::View first);
  void close(std::uint64_t id);

  Session* find(std::uint64_t id);
  bool is_in_own_namespace(const Session& session) const { return session.ns == namespaces_.own(); }
  std::size_t count_from(const Namespace& ns) const;
  // Also of a program that waits for what starts there, which has passed the namespace.
  bool has_client_in(NamespaceId id) const;
  std::size_t count_of(const std::string& account) const;
  // A descriptor that a connected program has passed, or -1.
  int find_descriptor(NamespaceId inode) const;

  // `left`: the namespaces in which it may have been the last client.
  std::function<void(std::uint64_t id, const std::vector<NamespaceId>& left)> on_closed;

 private:
  void keep_descriptors(Session& session, Received& message);
  void make_known(Session& session, const Fd& passed);

  EventLoop& loop_;
  const Attestor& attestor_;
  Namespaces& namespaces_;
  Counters& counters_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Session> sessions_;
  std::unordered_map<std::string, std::size_t> by_account_;
};

// The kPreface with the attestation of the session's program.
protocol::Bytes preface(const Session& session, std::uint32_t sequence);

}  // namespace nsm::holder
