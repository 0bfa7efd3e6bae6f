// nsmd's connections to the holder: requests in, replies and events out. There may be
// several at a time, because an old and a new nsmd overlap.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "holder/acceptor.h"
#include "holder/namespaces.h"

namespace nsm::holder {

using protocol::Bytes;
using protocol::Frame;

class ControlConnection {
 public:
  ControlConnection(EventLoop& loop, Fd socket) : loop_(loop), socket_(std::move(socket)) {}
  ~ControlConnection();

  // Never waits. A peer that does not read loses its connection when kMaxPendingBytes are pending.
  void send(View message);

  bool is_greeted = false;            // has sent kHello
  std::map<NamespaceId, Fd> watches;  // rtnetlink subscriptions, see requests.cc

 private:
  friend class ControlServer;
  static constexpr std::size_t kMaxPendingBytes = 64 * 1024 * 1024;

  bool read_some();
  bool write_some();

  EventLoop& loop_;
  Fd socket_;
  Bytes incoming_;
  Bytes outgoing_;
  std::size_t sent_ = 0;  // of outgoing_
  bool broken_ = false;
};
using ConnectionRef = std::shared_ptr<ControlConnection>;

class ControlServer {
 public:
  using Handler = std::function<void(const ConnectionRef& connection, const Frame& request)>;

  ControlServer(EventLoop& loop, Counters& counters, uid_t daemon_uid)
      : loop_(loop), counters_(counters), daemon_uid_(daemon_uid) {}

  void serve(Fd socket, Handler handler);
  // Sends to every connection that has sent kHello.
  void broadcast(View message);

 private:
  void admit(Fd connection);
  void on_ready(const ConnectionRef& connection, std::uint32_t events);
  bool take_requests(const ConnectionRef& connection);
  void close(const ConnectionRef& connection);

  EventLoop& loop_;
  Counters& counters_;
  uid_t daemon_uid_;
  Handler handler_;
  std::unique_ptr<Acceptor> acceptor_;
  std::map<int, ConnectionRef> connections_;
};

}  // namespace nsm::holder
