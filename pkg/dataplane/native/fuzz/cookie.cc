// mac1, mac2 and cookies: a receiver that sends cookie replies, and a sender that receives them
// corrupted, late, or for another message, and whose address changes.
#include "core/cookie.h"

#include <optional>
#include <utility>

#include "fuzzed-input.h"
#include "test/core/seeded-random.h"

namespace {

using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using Message = std::vector<std::uint8_t>;

const nsm::AeadSuite kSuite;
constexpr nsm::Key kOwner = {1, 2, 3};
constexpr std::uint64_t kCookieNs = 115 * nsm::kNsPerSecond;

class Talk {
 public:
  explicit Talk(FuzzedInput& input) : input_(input) {}

  void step() {
    switch (input_.number<std::uint8_t>() % 5) {
      case 0:
        now_.boot_ns += input_.number<std::uint16_t>() * 4 * nsm::kNsPerMs;
        break;
      case 1:
        move();
        break;
      case 2:
        stamp();
        break;
      case 3:
        reply();
        break;
      case 4:
        damage_message();
        break;
    }
  }

 private:
  // The model: mac2 is valid if it was made with the current cookie for this address.
  bool knows_cookie() { return held_ && *held_ == maker_.cookie(from_, now_); }

  void move() {
    const nsm::SocketAddress before = from_;
    from_.family = input_.flag() ? 4 : 6;
    from_.port = input_.number<std::uint16_t>() % 4;
    from_.address[input_.below(16)] ^= input_.number<std::uint8_t>();
    require((maker_.cookie(before, now_) == maker_.cookie(from_, now_)) == (before == from_));
  }

  void stamp() {
    if (now_.boot_ns >= held_until_ns_) held_.reset();
    Message message(input_.flag() ? sizeof(nsm::Initiation) : sizeof(nsm::Response));
    std::ranges::copy(input_.take(input_.below(message.size() - 2 * nsm::kMacBytes)), message.begin());
    stamper_.stamp(message, now_);
    previous_ = std::exchange(message_, message);
    expects_reply_ = true;
    require(nsm::mac1_valid(nsm::mac1_key(kOwner), message));
    require(maker_.mac2_valid(message, from_, now_) == knows_cookie());
  }

  // A reply to the last message, or to the one before it.
  void reply() {
    const Message& answered = input_.flag() ? previous_ : message_;
    if (answered.empty()) return;
    const nsm::Mac cookie = maker_.cookie(from_, now_);
    const nsm::CookieReply made = maker_.reply(answered, kOwner, cookie);
    require(std::equal(made.receiver.begin(), made.receiver.end(), answered.begin() + 4));
    Message bytes(bytes_of(made).begin(), bytes_of(made).end());
    nsm::fuzz::damage(input_, bytes);
    const auto read = nsm::read_message<nsm::CookieReply>(bytes);
    if (!read) return;
    const bool whole = read->nonce == made.nonce && read->cookie == made.cookie;
    const bool same_mac1 = std::ranges::equal(nsm::mac1_of(answered), nsm::mac1_of(message_));
    const bool taken = stamper_.consume(*read, now_);
    require(taken == (expects_reply_ && whole && same_mac1));
    if (!taken) return;
    held_ = cookie;
    held_until_ns_ = now_.boot_ns + kCookieNs;
    expects_reply_ = false;
  }

  void damage_message() {
    Message bad = message_;
    nsm::fuzz::damage(input_, bad);
    if (bad.size() < 2 * nsm::kMacBytes || bad == message_) return;
    const bool same = bad.size() == message_.size() &&
                      std::ranges::equal(nsm::before_mac2(bad), nsm::before_mac2(message_));
    require(nsm::mac1_valid(nsm::mac1_key(kOwner), bad) == same);
    require(!maker_.mac2_valid(bad, from_, now_));
  }

  FuzzedInput& input_;
  nsm::test::SeededRandom random_{1};
  nsm::CookieMaker maker_{kSuite.preferred(), random_};
  nsm::MessageStamper stamper_{kSuite.preferred(), kOwner};
  nsm::Now now_ = {.boot_ns = nsm::kNsPerSecond};
  nsm::SocketAddress from_ = {.family = 4};
  Message message_;
  Message previous_;
  bool expects_reply_ = false;
  std::optional<nsm::Mac> held_;  // the sender's current cookie
  std::uint64_t held_until_ns_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  Talk talk(input);
  while (!input.empty()) talk.step();
  return 0;
}
