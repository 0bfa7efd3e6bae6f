// The network between two nodes: datagrams wait here until the input decides their fate. Checks the
// invariants that hold for every datagram.
#pragma once

#include <set>
#include <tuple>

#include "core/messages.h"
#include "fuzzed-input.h"
#include "test/core/world.h"

namespace nsm::fuzz {

class LossyNetwork {
 public:
  explicit LossyNetwork(test::World& world) : world_(world) {}

  // Collects the datagrams that were sent since the last call.
  void collect() {
    for (test::Node* node : {world_.a.get(), world_.b.get()}) {
      for (test::Datagram& datagram : node->outbox) {
        if (datagram.type() == 4) require_new_nonce(datagram);
        sent_.push_back(datagram);
        waiting_.push_back(std::move(datagram));
      }
      node->outbox.clear();
    }
  }

  // One of the waiting datagrams.
  void deliver(std::size_t which) {
    if (waiting_.empty()) return;
    const test::Datagram datagram = waiting_[which % waiting_.size()];
    lose(which);
    hand_over(datagram);
  }
  void deliver_all() {
    for (; !waiting_.empty(); collect()) deliver(0);
  }
  void lose(std::size_t which) {
    if (waiting_.empty()) return;
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(which % waiting_.size()));
  }
  // One of all datagrams ever sent, counted from the last.
  void repeat(std::size_t which) {
    if (!sent_.empty()) hand_over(sent_[sent_.size() - 1 - which % sent_.size()]);
  }
  // To be called when a node lost its saved state.
  void accept_again() { accepted_.clear(); }

 private:
  void hand_over(const test::Datagram& datagram) {
    test::Node& node = datagram.to == world_.a->at ? *world_.a : *world_.b;
    const int accepted_before = node.count(Handled::kAccepted);
    node.take(datagram, world_.now);
    if (node.count(Handled::kAccepted) != accepted_before) require(accepted_.insert(datagram.bytes).second);
  }

  void require_new_nonce(const test::Datagram& datagram) {
    const auto header = read_data_header(datagram.bytes);
    require(header && nonces_.emplace(datagram.to.address[3], header->receiver, header->counter).second);
  }

  test::World& world_;
  std::vector<test::Datagram> waiting_;
  std::vector<test::Datagram> sent_;
  std::set<std::tuple<std::uint8_t, std::uint32_t, std::uint64_t>> nonces_;  // receiving node, index, counter
  std::set<std::vector<std::uint8_t>> accepted_;                             // handshake messages
};

}  // namespace nsm::fuzz
