// The spawner: a child of the holder, forked while that is still root, which has changed
// to the engine's user and has no capability. It only runs `engine` with the two
// descriptors that it is given, and reports how that ended. So the holder itself does not
// need the privilege to change users.
//
//   holder --(engine socket, state memory)--> spawner --fork, exec--> engine
//
// The engine dies with the spawner, the spawner with the holder (PR_SET_PDEATHSIG).
#pragma once

#include <sys/types.h>

#include <functional>

#include "holder/event-loop.h"
#include "holder/unix-socket.h"
#include "protocol/offloads.h"

namespace nsm::holder {

class Spawner {
 public:
  // Forks the spawner. To be called before any other descriptor or thread exists.
  struct Engine {
    uid_t uid;
    const protocol::OffloadSet& offloads;
  };
  static Status launch(const Engine& engine, Spawner& spawner);

  // Starts an engine; `on_started` or `on_exited` reports the result.
  Status start(int engine_socket, int state_memory);
  void kill_engine(pid_t pid);

  struct Listener {
    std::function<void(pid_t pid)> on_started;
    std::function<void(pid_t pid, std::string how)> on_exited;  // pid 0: it could not be started
    std::function<void()> on_lost;                              // the spawner itself has exited
  };
  void serve(EventLoop& loop, Listener listener);
  // Handles the reports that have arrived; serve() also does that when the loop runs.
  void read_reports();

 private:
  Fd socket_;
  EventLoop* loop_ = nullptr;
  Listener listener_;
};

}  // namespace nsm::holder
