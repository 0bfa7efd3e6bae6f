// Batches of data messages of a session, corrupted, replayed and mixed: each is counted once, and only
// what was sent is delivered, once and in order.
#include <set>

#include "data-messages.h"
#include "fuzzed-input.h"
#include "session-port.h"

namespace {

using nsm::Payload;
using nsm::fuzz::FuzzedInput;
using nsm::fuzz::Message;
using nsm::fuzz::require;
using nsm::test::Packet;

constexpr std::uint32_t kIndex = 0x1234567;
const nsm::AeadSuite kSuite;
const nsm::SecretKey kKey;

// The model: the set of accepted counters, and the rule of RFC 6479 for old ones.
class NaiveWindow {
 public:
  bool accept(std::uint64_t counter) {
    const std::uint64_t greatest = seen_.empty() ? 0 : *seen_.rbegin();
    return greatest <= counter + nsm::ReplayWindow::kUsable && seen_.insert(counter).second;
  }
  bool empty() const { return seen_.empty(); }

 private:
  std::set<std::uint64_t> seen_;
};

// The order within a flow is kept.
std::vector<Packet> by_flow(std::vector<Packet> packets, Payload payload) {
  const std::size_t at = payload == Payload::kIp ? 0 : nsm::kEthernetBytes;
  std::ranges::stable_sort(packets, {}, [at](const Packet& packet) {
    Packet ip(packet.begin() + static_cast<std::ptrdiff_t>(at), packet.end());
    return std::pair(ip[0], nsm::fuzz::source_of(ip));
  });
  return packets;
}

class Session {
 public:
  explicit Session(FuzzedInput& input)
      : input_(input),
        payload_(input.flag() ? Payload::kEthernet : Payload::kIp),
        algorithm_(input.flag() ? nsm::AeadAlgorithm::kAes256Gcm : nsm::AeadAlgorithm::kChaCha20Poly1305),
        expired_(input.number<std::uint8_t>() % 8 == 1),
        sender_(kIndex, payload_, any_implementation().make_key(algorithm_, kKey)),
        counted_before_(port_.counted()) {
    in_place_.reserve(kMostDatagrams);
    auto key = std::make_unique<nsm::ReceiveKey>();
    key->key = kSuite.make_key(algorithm_, kKey);
    key->local_index = kIndex;
    key->created_ns = nsm::fuzz::SessionPort::kNowNs - (expired_ ? nsm::kRejectAfterNs : 0);
    key->awaits_confirmation = true;
    port_.start(payload_, std::move(key));
  }

  bool more() const { return in_place_.size() < kMostDatagrams && !input_.empty(); }

  void step() {
    if (messages_.empty() || input_.flag()) messages_.push_back(sender_.next(input_));
    const Message& message = messages_[messages_.size() - 1 - input_.below(messages_.size())];
    Packet& datagram = in_place_.emplace_back(message.sealed);
    if (input_.below(4) == 0) nsm::fuzz::damage(input_, datagram);
    if (datagram == message.sealed && !expired_ && window_.accept(message.counter) && !message.inner.empty())
      expected_.push_back(message.inner);
    port_.add(datagram);
    if (input_.below(4) == 0) port_.flush();
  }

  void finish() {
    port_.flush();
    require(port_.counted() == counted_before_ + in_place_.size());
    require(by_flow(port_.delivered(), payload_) == by_flow(expected_, payload_));
    require(port_.confirmations() == (window_.empty() ? 0 : 1));
  }

 private:
  static constexpr std::size_t kMostDatagrams = 40;

  const nsm::AeadImplementation& any_implementation() {
    const auto all = kSuite.implementations();
    return *all[input_.below(all.size())];
  }

  inline static nsm::fuzz::SessionPort port_;
  FuzzedInput& input_;
  Payload payload_;
  nsm::AeadAlgorithm algorithm_;
  bool expired_;
  nsm::fuzz::Sender sender_;
  std::uint64_t counted_before_;
  NaiveWindow window_;
  std::vector<Message> messages_;
  std::vector<Packet> in_place_, expected_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  Session session(input);
  while (session.more()) session.step();
  session.finish();
  return 0;
}
