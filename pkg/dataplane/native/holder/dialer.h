// The socket where nsmd asks for connections to endpoints on this node: one
// kDial, answered by the kPreface of who listens there, or by an error; then the
// bytes of the connection.
#pragma once

#include <map>
#include <memory>

#include "holder/acceptor.h"
#include "holder/options.h"
#include "holder/sessions.h"

namespace nsm::holder {

class Dialer {
 public:
  Dialer(EventLoop& loop, Sessions& sessions, Counters& counters, const Options& options)
      : loop_(loop), sessions_(sessions), counters_(counters), options_(options) {}

  void serve(Fd socket);

 private:
  struct Caller {
    Fd socket;
    protocol::Bytes request;  // as much as has come
  };

  void admit(Fd connection);
  void read_request(int fd);
  void refuse(int fd, const protocol::Frame& request, const Status& status);
  Status connect(const protocol::Frame& request, Fd& endpoint);
  Status dial(const protocol::Frame& request, Caller& caller);
  Status resolve(std::string_view url, std::string& path) const;
  void drop(int fd);

  EventLoop& loop_;
  Sessions& sessions_;
  Counters& counters_;
  const Options& options_;
  std::unique_ptr<Acceptor> acceptor_;
  std::map<int, Caller> callers_;  // who has not finished its request
};

}  // namespace nsm::holder
