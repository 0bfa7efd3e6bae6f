#include "holder/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "holder/privileges.h"
#include "protocol/protocol.h"

namespace nsm::holder {
namespace {

struct Order {
  enum Kind : std::uint32_t { kStart, kKill } kind;
  pid_t pid;
};

struct Report {
  enum Kind : std::uint32_t { kStarted, kExited, kFailed } kind;
  pid_t pid;
  int detail;  // wait status, or errno
};

template <typename T>
View bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

// The command line of the engine, as execve needs it.
class EngineCommand {
 public:
  EngineCommand(Fd program, const protocol::OffloadSet& offloads) : program_(std::move(program)) {
    offloads.each_removed([this](std::string_view name) {
      words_.emplace_back("--without");
      words_.emplace_back(name);
    });
    for (std::string& word : words_) arguments_.push_back(word.data());
    arguments_.push_back(nullptr);
  }
  int program() const { return program_.get(); }
  char* const* arguments() const { return arguments_.data(); }

 private:
  Fd program_;
  std::vector<std::string> words_ = {"nsm-dataplane", "engine"};
  std::vector<char*> arguments_;
};

[[noreturn]] void run_engine(const EngineCommand& command, int engine_socket, int state_memory) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // First to high numbers, then into place, because any of the three may occupy a needed number.
  const int high = 10;
  const int from[] = {fcntl(engine_socket, F_DUPFD, high), fcntl(state_memory, F_DUPFD, high)};
  const int executable = fcntl(command.program(), F_DUPFD_CLOEXEC, high);
  dup2(from[0], protocol::kEngineSocketFd);
  dup2(from[1], protocol::kEngineStateFd);
  close_range(protocol::kEngineStateFd + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  fexecve(executable, command.arguments(), environ);
  _exit(127);
}

// The spawner as a process.
class SpawnerProcess {
 public:
  SpawnerProcess(Fd socket, const EngineCommand& command) : socket_(std::move(socket)), command_(command) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    children_ = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  void run() {
    pollfd ready[] = {{socket_.get(), POLLIN, 0}, {children_.get(), POLLIN, 0}};
    while (poll(ready, 2, -1) >= 0 || errno == EINTR) {
      if (ready[1].revents != 0) reap();
      if (ready[0].revents != 0 && !serve_order()) return;
    }
  }

 private:
  bool serve_order() {
    Order order;
    const Received got =
        receive_with_fds(socket_.get(), {reinterpret_cast<std::uint8_t*>(&order), sizeof order});
    if (got.size < 0) return errno == EAGAIN || errno == EINTR;
    if (got.size != sizeof order) return false;
    if (order.kind == Order::kKill) {
      if (order.pid > 1) kill(order.pid, SIGKILL);
    } else if (got.fds.size() == 2) {
      start(got.fds[0].get(), got.fds[1].get());
    }
    return true;
  }

  void start(int engine_socket, int state_memory) {
    const pid_t pid = fork();
    if (pid == 0) run_engine(command_, engine_socket, state_memory);
    report(pid > 0 ? Report{Report::kStarted, pid, 0} : Report{Report::kFailed, 0, errno});
  }

  void reap() {
    signalfd_siginfo info;
    while (read(children_.get(), &info, sizeof info) > 0) {
    }
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) report({Report::kExited, pid, status});
  }

  void report(const Report& report) { send_with_fds(socket_.get(), bytes_of(report), {}); }

  Fd socket_;
  const EngineCommand& command_;
  Fd children_;
};

[[noreturn]] void become_spawner(Fd socket, pid_t holder, const Spawner::Engine& engine) {
  Fd program(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));  // the engine's user may lack access to its path
  const EngineCommand command(std::move(program), engine.offloads);
  // Inherited by engines. Needs CAP_SYS_NICE; without it, they report priority=off.
  if (engine.offloads.has(protocol::Offload::priority)) setpriority(PRIO_PROCESS, 0, protocol::kEngineNice);
  const Status status = drop_all_privileges(engine.uid);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which resets this
  if (getppid() != holder) _exit(1);
  setpgid(0, 0);  // so that Ctrl-C reaches the holder only
  if (!status.ok()) {
    std::fprintf(stderr, "nsm-dataplane: %s\n", status.text.c_str());
    _exit(1);
  }
  prctl(PR_SET_NAME, "nsm-spawner");
  prctl(PR_SET_DUMPABLE, 0);
  SpawnerProcess(std::move(socket), command).run();
  _exit(0);
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    return std::string("killed by signal ") + std::to_string(WTERMSIG(status)) + " (" +
           strsignal(WTERMSIG(status)) + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Status Spawner::launch(const Engine& engine, Spawner& spawner) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return {errno, "cannot create a socket pair: " + errno_text(errno)};
  }
  Fd ours(pair[0]), theirs(pair[1]);
  const pid_t holder = getpid();
  const pid_t child = fork();
  if (child < 0) return {errno, "cannot fork: " + errno_text(errno)};
  if (child == 0) {
    ours.reset();
    become_spawner(std::move(theirs), holder, engine);
  }
  spawner.socket_ = std::move(ours);
  return {};
}

Status Spawner::start(int engine_socket, int state_memory) {
  const Order order{Order::kStart, 0};
  if (send_with_fds(socket_.get(), bytes_of(order), {engine_socket, state_memory}) >= 0) return {};
  return {errno, "cannot ask the spawner for an engine: " + errno_text(errno)};
}

void Spawner::kill_engine(pid_t pid) { send_with_fds(socket_.get(), bytes_of(Order{Order::kKill, pid}), {}); }

void Spawner::serve(EventLoop& loop, Listener listener) {
  loop_ = &loop;
  listener_ = std::move(listener);
  loop.watch(socket_.get(), EPOLLIN, [this](std::uint32_t) { read_reports(); });
}

void Spawner::read_reports() {
  for (Report report;;) {
    const ssize_t size = recv(socket_.get(), &report, sizeof report, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size != sizeof report) {
      loop_->forget(socket_.get());
      return listener_.on_lost();
    }
    if (report.kind == Report::kStarted) listener_.on_started(report.pid);
    if (report.kind == Report::kExited) listener_.on_exited(report.pid, how_it_ended(report.detail));
    if (report.kind == Report::kFailed)
      listener_.on_exited(0, "cannot be started: " + errno_text(report.detail));
  }
}

}  // namespace nsm::holder
