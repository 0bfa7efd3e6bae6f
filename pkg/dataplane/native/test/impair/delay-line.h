// Datagrams in flight in one direction: ordered by when they leave, or held back until a number
// of later ones have passed.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

namespace nsm::impair {

class DelayLine {
 public:
  static constexpr std::size_t kMaxBytes = 64 << 20;        // in flight at the same time
  static constexpr std::uint64_t kMaxHeldNs = 100'000'000;  // if no later ones come

  struct Waiting {
    std::uint64_t due_ns = 0;
    std::uint64_t number = 0;  // the order of datagrams that are due at the same time
    std::vector<std::uint8_t> bytes;
  };

  // With `held_for`, the datagram leaves right after that many later ones, and not before `due_ns`.
  // False if there is no room.
  bool put(Waiting&& datagram, std::uint64_t held_for);
  // To be called for every datagram that arrives, added or not: held-back ones may now leave.
  void pass(std::uint64_t now_ns);

  // When the next one leaves; UINT64_MAX if there is none.
  std::uint64_t next_ns() const noexcept;
  // Takes the next one that is due; false if there is none.
  bool take(std::uint64_t now_ns, Waiting& datagram);

 private:
  struct Held {
    std::uint64_t until_pass = 0;
    Waiting datagram;
  };
  struct LeavesLater {
    bool operator()(const Waiting& a, const Waiting& b) const noexcept {
      return a.due_ns != b.due_ns ? a.due_ns > b.due_ns : a.number > b.number;
    }
    bool operator()(const Held& a, const Held& b) const noexcept { return a.until_pass > b.until_pass; }
  };
  void release(std::uint64_t now_ns);

  std::priority_queue<Waiting, std::vector<Waiting>, LeavesLater> waiting_;
  std::priority_queue<Held, std::vector<Held>, LeavesLater> held_;
  std::uint64_t passed_ = 0;
  std::uint64_t last_pass_ns_ = 0;
  std::uint64_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace nsm::impair
