// The spawner: a child of the holder, made while it is still root, that has
// already become the engine's user and holds no capability. It does one thing:
// run `engine` with the two descriptors it is given, and say how that ended. So
// the holder itself needs no right to change users.
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
  // Forks the spawner. To be called before anything else has descriptors or threads.
  struct Engine {
    uid_t uid;
    const protocol::OffloadSet& offloads;
  };
  static Status launch(const Engine& engine, Spawner& spawner);

  // Starts an engine; `on_started` or `on_exited` tells what became of it.
  Status start(int engine_socket, int state_memory);
  void kill_engine(pid_t pid);

  struct Listener {
    std::function<void(pid_t pid)> on_started;
    std::function<void(pid_t pid, std::string how)> on_exited;  // pid 0: it could not be started
    std::function<void()> on_lost;                              // the spawner itself is gone
  };
  void serve(EventLoop& loop, Listener listener);
  // Tells the listener what the spawner has said so far; `serve` does that by itself, too.
  void read_reports();

 private:
  Fd socket_;
  EventLoop* loop_ = nullptr;
  Listener listener_;
};

}  // namespace nsm::holder
