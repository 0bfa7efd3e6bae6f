// The engine's seccomp sandbox, system call by system call. Each case runs in its own child process,
// which enters the sandbox first.
#include "io/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "../core/check.h"
#include "io/clock.h"

namespace {

using nsm::io::enter_sandbox;
using nsm::io::renounce_privilege;

constexpr int kDone = 42;

// The wait status of a child that calls `action` inside the sandbox.
int end_of(void (*action)()) {
  const pid_t child = fork();
  if (child == 0) {
    if (!renounce_privilege() || !enter_sandbox()) _exit(1);
    action();
    _exit(kDone);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

bool is_killed(void (*action)()) {
  const int status = end_of(action);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

bool is_allowed(void (*action)()) {
  const int status = end_of(action);
  return WIFEXITED(status) && WEXITSTATUS(status) == kDone;
}

TEST("sandbox kills a process that opens a file") {
  if (!nsm::io::has_sandbox()) return;
  CHECK(is_killed([] { open("/dev/null", O_RDONLY); }));
}

TEST("sandbox kills a process that makes a socket, connects or listens") {
  if (!nsm::io::has_sandbox()) return;
  CHECK(is_killed([] { socket(AF_INET, SOCK_STREAM, 0); }));
  CHECK(is_killed([] { connect(0, nullptr, 0); }));
  CHECK(is_killed([] { listen(0, 1); }));
}

TEST("sandbox kills a process that starts a process, a program or a thread") {
  if (!nsm::io::has_sandbox()) return;
  CHECK(is_killed([] { fork(); }));
  CHECK(is_killed([] { execl("/bin/true", "true", nullptr); }));
  CHECK(is_killed([] { std::thread([] {}).join(); }));
}

TEST("sandbox kills a process that makes memory executable") {
  if (!nsm::io::has_sandbox()) return;
  CHECK(is_killed([] { mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }));
  CHECK(is_killed([] {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
  }));
}

TEST("sandbox applies to threads that existed before it") {
  if (!nsm::io::has_sandbox()) return;
  const pid_t child = fork();
  if (child == 0) {
    std::thread other([] {
      usleep(50'000);
      open("/dev/null", O_RDONLY);
      _exit(kDone);
    });
    if (!renounce_privilege() || !enter_sandbox()) _exit(1);
    other.join();
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

TEST("sandbox allows memory allocation, clocks and pipes") {
  CHECK(is_allowed([] { std::make_unique<char[]>(64 << 20)[0] = 1; }));
  CHECK(is_allowed([] { nsm::io::boot_ns(); }));
  CHECK(is_allowed([] { [[maybe_unused]] const auto done = write(STDERR_FILENO, "", 0); }));
}

TEST("an engine with privileges refuses to start and says why") {
  if (geteuid() == 0) CHECK(!nsm::io::excess_privilege().empty());
}

}  // namespace
