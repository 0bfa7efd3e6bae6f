// Whether anybody is left in the pinned namespaces: a pod whose last process has ended is
// gone, and a pin would keep its namespace answering pings for ever.
//
//   a client is connected from there   occupied, and nothing is watched
//   nsm-cni waits for a pod to start   likewise: its first process is still to come
//   the last client has left           look through /proc once for a process in there
//   one is found                       occupied; its pidfd tells when to look again
//   none, and none 1 s later           empty: nsmd is told
//
// A supervisor that starts a client anew has that second. All namespaces in doubt share one
// look through /proc, and nothing is looked at while nothing ends.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "holder/sessions.h"

namespace nsm::holder {

class Occupancy {
 public:
  Occupancy(EventLoop& loop, const Namespaces& namespaces, const Sessions& sessions)
      : loop_(loop), namespaces_(namespaces), sessions_(sessions) {}
  ~Occupancy();

  // A client of the namespace has left, or it was pinned or unpinned.
  void changed(NamespaceId id);
  // A daemon is back: it is told what is empty now.
  void tell_again();

  std::function<void(NamespaceId id)> on_empty;

 private:
  void look_soon();
  void look();
  bool is_settled(NamespaceId id);
  void find_witnesses(std::set<NamespaceId>& wanted);
  void watch(NamespaceId id, Fd witness);
  void forget(NamespaceId id);
  void missed(NamespaceId id);

  EventLoop& loop_;
  const Namespaces& namespaces_;
  const Sessions& sessions_;
  std::set<NamespaceId> doubted_;
  std::set<NamespaceId> missed_;  // nobody was found there the last time
  std::set<NamespaceId> empty_;
  std::map<NamespaceId, Fd> witnesses_;  // pidfd of a process in there
  bool is_looking_ = false;
};

}  // namespace nsm::holder
