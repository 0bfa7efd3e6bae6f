// The single-producer single-consumer queue between two threads.
#include "io/spsc-queue.h"

#include <memory>
#include <thread>

#include "test/core/check.h"

namespace nsm::test {
namespace {

using io::SpscQueue;

TEST("items come out in order, however often the ring wraps around") {
  SpscQueue<int> queue(4);
  int next_in = 0, next_out = 0, item = -1;
  for (int round = 0; round < 100; round++) {
    for (int i = 0; i < round % 5; i++) next_in += queue.push(int{next_in}) ? 1 : 0;
    while (queue.pop(item)) CHECK(item == next_out++);
  }
  CHECK(next_in == next_out && next_in > 100);
}

TEST("a full queue refuses an item and leaves it with the producer") {
  SpscQueue<std::unique_ptr<int>> queue(2);
  CHECK(queue.push(std::make_unique<int>(1)) && queue.push(std::make_unique<int>(2)) && queue.size() == 2);
  auto third = std::make_unique<int>(3);
  CHECK(!queue.push(std::move(third)) && third && *third == 3);
  std::unique_ptr<int> first;
  CHECK(queue.pop(first) && *first == 1 && queue.push(std::move(third)) && !third);
}

TEST("an empty queue gives nothing and leaves the consumer's variable unchanged") {
  SpscQueue<int> queue(2);
  int item = 7;
  CHECK(!queue.pop(item) && item == 7 && queue.size() == 0);
}

// ThreadSanitizer would report a data race between the two ends.
TEST("a million items pass between two threads, each once and in order") {
  constexpr std::uint64_t kItems = 1'000'000;
  SpscQueue<std::uint64_t> queue(64);
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < kItems;)
      queue.push(std::uint64_t{i}) ? void(i++) : std::this_thread::yield();
  });
  std::uint64_t expected = 0, item = 0;
  bool in_order = true;
  while (expected < kItems) {
    if (queue.pop(item))
      in_order &= item == expected++;
    else
      std::this_thread::yield();
  }
  producer.join();
  CHECK(in_order && !queue.pop(item));
}

}  // namespace
}  // namespace nsm::test
