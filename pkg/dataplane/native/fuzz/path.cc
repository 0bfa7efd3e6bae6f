// Path messages of any bytes, and a path whose probes are answered, lost, answered
// late or by lies: only answers to its own probes count, and when the way is good
// for a minute it is found up, and what it passes is found to 8 bytes.
#include "core/path.h"

#include "core/framed.h"
#include "core/inner-ip.h"
#include "fuzzed-input.h"

namespace {

using nsm::PathKind;
using nsm::PathMessage;
using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using Plaintext = std::vector<std::uint8_t>;

constexpr std::uint32_t kLeastMtu = 516;

// Of any bytes, or with what makes it a path message, and its length, made right.
void check_message(Plaintext plaintext) {
  const std::uint8_t made = plaintext.empty() ? 0 : plaintext[0];
  if ((made & 1) != 0 && plaintext.size() >= nsm::kPathMessageBytes) {
    std::fill_n(plaintext.begin(), nsm::kPathMessageZeros, std::uint8_t{0});
    plaintext[6] = nsm::kPathVersion;
    if ((made & 2) != 0) nsm::store_le(&plaintext[20], static_cast<std::uint32_t>(plaintext.size()));
  }
  const auto read = nsm::read_path_message(plaintext);
  if (!read) return;
  require(read->kind == PathKind::kEcho || read->bytes == plaintext.size());
  require(!nsm::parse_inner_ip(plaintext) && !nsm::read_frame(plaintext));
  Plaintext again(plaintext.size(), 0xee);
  nsm::write_path_message(*read, again);
  require(nsm::read_path_message(again) == read);
}

class Way {
 public:
  Way(FuzzedInput& input, std::uint32_t most, std::uint32_t passes)
      : input_(input), most_(most), passes_(passes), path_(most) {}

  void step() {
    switch (input_.number<std::uint8_t>() % 5) {
      case 0:
        return wait(input_.number<std::uint8_t>() * nsm::kNsPerMs);
      case 1:
        return wait(input_.number<std::uint8_t>() * 10 * nsm::kNsPerMs);
      case 2:
        return answer(input_.number<std::uint8_t>());
      case 3:
        return lie(input_.number<std::uint8_t>());
      case 4:
        passes_ = kLeastMtu + static_cast<std::uint32_t>(input_.below(1500));
        return;
    }
  }

  void require_recovery() {
    const std::uint64_t until_ns = now_ns_ + 60 * nsm::kNsPerSecond;
    while (now_ns_ < until_ns) {
      sent_.clear();
      tick();
      now_ns_ += nsm::kNsPerMs;
      for (const PathMessage& probe : sent_)
        if (probe.bytes <= passes_) path_.echoed(echo_of(probe), now_ns_);
      now_ns_ = std::max(now_ns_, next_ns_);
    }
    require(path_.state() == nsm::PathState::kUp);
    require(path_.mtu_bytes() <= passes_ && path_.mtu_bytes() + 8 >= std::min(most_, passes_));
  }

 private:
  static PathMessage echo_of(PathMessage probe) {
    probe.kind = PathKind::kEcho;
    return probe;
  }

  void wait(std::uint64_t ns) {
    now_ns_ += ns;
    tick();
    require(path_.lost() <= path_.probes() && path_.loss_ppm() <= 1'000'000);
  }

  void tick() {
    const auto send = [&](const PathMessage& probe) {
      require(probe.kind == PathKind::kProbe && probe.bytes >= nsm::kPathMessageBytes);
      require(probe.bytes <= std::max(most_, kLeastMtu));
      sent_.push_back(probe);
    };
    next_ns_ = path_.tick(now_ns_, send);
    require(next_ns_ > now_ns_);
    require(path_.mtu_bytes() <= std::max(most_, kLeastMtu));
  }

  void answer(std::size_t which) {
    if (!sent_.empty()) path_.echoed(echo_of(sent_[sent_.size() - 1 - which % sent_.size()]), now_ns_);
  }

  // What is not the echo of a probe moves nothing.
  void lie(std::size_t which) {
    if (sent_.empty()) return;
    PathMessage echo = echo_of(sent_[which % sent_.size()]);
    const PathMessage truth = echo;
    echo.sequence ^= input_.number<std::uint8_t>();
    echo.sent_ns ^= input_.number<std::uint8_t>();
    echo.bytes ^= input_.number<std::uint8_t>();
    if (echo == truth) return;
    const auto before = figures();
    path_.echoed(echo, now_ns_);
    require(figures() == before);
  }

  std::array<std::uint64_t, 7> figures() const {
    return {static_cast<std::uint64_t>(path_.state()),
            path_.mtu_bytes(),
            path_.rtt_ns(),
            path_.jitter_ns(),
            path_.loss_ppm(),
            path_.probes(),
            path_.lost()};
  }

  FuzzedInput& input_;
  std::uint32_t most_, passes_;
  nsm::Path path_;
  std::uint64_t now_ns_ = nsm::kNsPerSecond;
  std::uint64_t next_ns_ = 0;
  std::vector<PathMessage> sent_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMostSteps = 200;
  check_message(Plaintext(data, data + size));
  FuzzedInput input(data, size);
  const auto most = static_cast<std::uint32_t>(kLeastMtu + input.below(9000));
  Way way(input, most, kLeastMtu + static_cast<std::uint32_t>(input.below(1500)));
  for (int step = 0; step < kMostSteps && !input.empty(); step++) way.step();
  way.require_recovery();
  return 0;
}
