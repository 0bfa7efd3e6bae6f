// The channel that carries commands from the control thread to a data thread.
#include "io/channel.h"

#include <poll.h>

#include <memory>
#include <thread>

#include "test/core/check.h"

namespace nsm::test {
namespace {

using io::Channel;
using Command = std::unique_ptr<int>;

bool is_readable(int fd, int wait_ms = 0) {
  pollfd ready{fd, POLLIN, 0};
  return poll(&ready, 1, wait_ms) == 1;
}

TEST("the descriptor is readable while commands are queued, and they are executed in order") {
  Channel<Command> channel(8);
  CHECK(!is_readable(channel.fd()));
  for (int i = 0; i < 5; i++) channel.post(std::make_unique<int>(i));
  CHECK(is_readable(channel.fd()));
  int expected = 0;
  channel.serve([&](Command&& command) { CHECK(*command == expected++); });
  CHECK(expected == 5 && !is_readable(channel.fd()));
}

TEST("settle returns at once if nothing was posted or everything is done") {
  Channel<Command> channel(8);
  channel.settle();
  channel.post(std::make_unique<int>(1));
  channel.serve([](Command&&) {});
  channel.settle();
  CHECK(true);
}

// A data thread that executes commands until one is negative.
template <typename Execute>
std::thread serve(Channel<Command>& channel, Execute execute) {
  return std::thread([&channel, execute] {
    for (bool ends = false; !ends;) {
      if (!is_readable(channel.fd(), 1000)) continue;
      channel.serve([&](Command&& command) {
        ends |= *command < 0;
        execute(*command);
      });
    }
  });
}

TEST("settle waits until the data thread has executed what was posted before") {
  Channel<Command> channel(8);
  int done = 0;  // not atomic: settle() makes it safe to read
  std::thread data = serve(channel, [&](int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    done++;
  });
  for (int round = 1; round <= 10; round++) {
    channel.post(std::make_unique<int>(round));
    channel.settle();
    CHECK(done == round);
  }
  channel.post(std::make_unique<int>(-1));
  data.join();
}

TEST("posting to a full channel waits for room, and no command is lost") {
  Channel<Command> channel(2);
  long sum = 0;
  std::thread data = serve(channel, [&](int value) { sum += value; });
  long expected = -1;
  for (int i = 0; i < 10'000; i++) {
    channel.post(std::make_unique<int>(i));
    expected += i;
  }
  channel.post(std::make_unique<int>(-1));
  data.join();
  CHECK(sum == expected);
}

}  // namespace
}  // namespace nsm::test
