// Supervises the engine: has the spawner start it, speaks to it over a SOCK_SEQPACKET
// socket, and restarts it when it dies or hangs.
//
//   away --start--> starting --its kHello--> replaying --all answered--> serving
//     ^                 |                        |                          |
//     '---- back-off ---'------------------------'---------- died ----------'
//
// Requests are queued while the engine is not serving. Those in flight when it died are
// sent again, because all requests are idempotent.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "holder/counters.h"
#include "holder/event-loop.h"
#include "holder/journal.h"
#include "holder/spawner.h"
#include "protocol/message.h"

namespace nsm::holder {

using protocol::Bytes;
using protocol::Frame;

class EngineSupervisor {
 public:
  struct Request {
    Bytes message;
    FdRef fd;
    // Called for each message of the answer; the last one is NLMSG_ERROR.
    std::function<void(const Frame&)> on_answer;
    int attempts = 0;
    std::chrono::steady_clock::time_point sent_at = {};  // to the engine that has to answer
  };
  struct Listener {
    std::function<void(const Frame&)> on_event;  // the engine sent a kEvent
    std::function<void()> on_started;
    std::function<void(pid_t pid, const std::string& how)> on_died;
  };

  EngineSupervisor(EventLoop& loop, const Journal& journal, Counters& counters);

  Status open(Spawner& spawner, std::function<void()> on_spawner_lost);
  void listen(Listener listener) { listener_ = std::move(listener); }

  // False: too many requests are queued.
  bool submit(Request request);

  pid_t pid() const { return state_ == State::kServing ? pid_ : 0; }
  std::uint32_t restarts() const { return starts_ == 0 ? 0 : starts_ - 1; }
  const std::vector<std::string>& features() const { return features_; }

 private:
  enum class State { kAway, kStarting, kReplaying, kServing };

  void start();
  // An engine that hangs is killed, and then handled like one that crashed.
  void check_hello(std::uint32_t start);
  void expect_answers();
  void kill(const char* why);
  void on_started(pid_t pid);
  void on_exited(pid_t pid, const std::string& how);
  void reclaim_requests();
  void on_ready(std::uint32_t events);
  bool receive_one();
  void on_message(const Frame& frame);
  void on_hello(const Frame& frame);
  void replay();
  void serve();
  void send(Request request);
  void flush();

  EventLoop& loop_;
  const Journal& journal_;
  Counters& counters_;
  Listener listener_;
  Spawner* spawner_ = nullptr;
  Fd state_memory_;

  State state_ = State::kAway;
  Fd socket_;
  pid_t pid_ = 0;
  bool is_ending_ = false;
  std::uint32_t starts_ = 0;
  std::size_t quick_deaths_ = 0;
  std::chrono::steady_clock::time_point started_at_;
  std::vector<std::string> features_;

  std::uint32_t sequence_ = 0;
  bool expecting_ = false;  // answers: the timer is running
  std::size_t replaying_ = 0;
  std::deque<Request> waiting_;         // until the engine serves
  std::deque<std::uint32_t> outgoing_;  // sequence numbers of requests in flight that are not sent yet
  std::map<std::uint32_t, Request> in_flight_;  // by sequence number
};

}  // namespace nsm::holder
