// The socket on which nsmd asks for connections to endpoints on this node: one kDial,
// answered with the kPreface of the process that listens there, or with an error; then
// the bytes of the connection.
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
    protocol::Bytes request;  // what has been read of it
  };

  void admit(Fd connection);
  void read_request(int fd);
  void refuse(int fd, const protocol::Frame& request, const Status& status);
  Status connect(const protocol::Frame& request, Fd& endpoint);
  Status dial(const protocol::Frame& request, Caller& caller);
  Status open_socket(std::string_view url, uid_t uid, Fd& file) const;
  void drop(int fd);

  EventLoop& loop_;
  Sessions& sessions_;
  Counters& counters_;
  const Options& options_;
  std::unique_ptr<Acceptor> acceptor_;
  std::map<int, Caller> callers_;  // connections whose request is not complete yet
};

}  // namespace nsm::holder
