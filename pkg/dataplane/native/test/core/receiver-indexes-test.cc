#include <deque>

#include "check.h"
#include "world.h"

namespace nsm::test {
namespace {

// Returns the given numbers, then counts up.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::deque<std::uint32_t> script) : script_(std::move(script)) {}
  void fill(Bytes out) noexcept override {
    std::uint32_t value = ++last_;
    if (!script_.empty()) value = script_.front(), script_.pop_front();
    std::memcpy(out.data(), &value, std::min(out.size(), sizeof value));
  }

 private:
  std::deque<std::uint32_t> script_;
  std::uint32_t last_ = 1000;
};

TEST("two machines never get the same receiver index, even if the random numbers collide") {
  World w;
  w.connect();
  Peer& peer = *w.to_b;
  ScriptedRandom dice({7, 7, 7, 8, 0, 9});
  ReceiverIndexes indexes(dice);
  IndexTable one(indexes), other(indexes);
  CHECK(one.allocate(peer) == 7 && other.allocate(peer) == 8 && other.allocate(peer) == 9);
  CHECK(one.find(8) == nullptr && other.find(7) == nullptr && other.find(8) == &peer);
  CHECK(!other.claim(7, peer));
}

TEST("an index is free again when it is released, and when its machine is destroyed") {
  World w;
  w.connect();
  ScriptedRandom dice({});
  ReceiverIndexes indexes(dice);
  IndexTable stays(indexes);
  {
    IndexTable goes(indexes);
    CHECK(goes.claim(5, *w.to_b) && goes.claim(6, *w.to_b));
    goes.release(5);
    stays.release(6);  // belongs to the other machine
    CHECK(stays.claim(5, *w.to_b) && !stays.claim(6, *w.to_b));
  }
  CHECK(stays.claim(6, *w.to_b));
}

}  // namespace
}  // namespace nsm::test
