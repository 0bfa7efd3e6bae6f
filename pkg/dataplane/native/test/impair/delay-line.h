// Datagrams that are under way in one direction: by when they leave, and those
// held back by how many later ones they let pass.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

namespace nsm::impair {

class DelayLine {
 public:
  static constexpr std::size_t kMaxBytes = 64 << 20;        // that are under way at once
  static constexpr std::uint64_t kMaxHeldNs = 100'000'000;  // when no later ones come

  struct Waiting {
    std::uint64_t due_ns = 0;
    std::uint64_t number = 0;  // of those that leave at one time the earlier goes first
    std::vector<std::uint8_t> bytes;
  };

  // `held_for`: it leaves right behind that many later ones, and not before `due_ns`. False when
  // there is no room.
  bool put(Waiting&& datagram, std::uint64_t held_for);
  // A datagram came, and was put here or not: what waited for it may leave.
  void pass(std::uint64_t now_ns);

  // When the next one leaves; UINT64_MAX: there is none.
  std::uint64_t next_ns() const noexcept;
  // Takes the next one that is due; false when there is none.
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
