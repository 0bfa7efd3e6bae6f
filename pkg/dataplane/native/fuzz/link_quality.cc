// Probe messages of arbitrary bytes, and the link quality when probes are answered, lost, answered
// late or with forged echoes: only echoes of its own probes count. After a minute on a good link the
// verdict is up and the MTU is known to 8 bytes.
#include "core/framed.h"
#include "core/inner-ip.h"
#include "core/link-quality.h"
#include "fuzzed-input.h"

namespace {

using nsm::ProbeMessage;
using nsm::ProbeMessageKind;
using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using Plaintext = std::vector<std::uint8_t>;

constexpr std::uint32_t kMinMtu = 516;

// Arbitrary bytes, or the same with the type and the length of a probe message corrected.
void check_message(Plaintext plaintext) {
  const std::uint8_t made = plaintext.empty() ? 0 : plaintext[0];
  if ((made & 1) != 0 && plaintext.size() >= nsm::kProbeMessageBytes) {
    std::fill_n(plaintext.begin(), nsm::kProbeMessageZeros, std::uint8_t{0});
    plaintext[6] = nsm::kProbeVersion;
    if ((made & 2) != 0) nsm::store_le(&plaintext[20], static_cast<std::uint32_t>(plaintext.size()));
  }
  const auto read = nsm::read_probe_message(plaintext);
  if (!read) return;
  require(read->kind == ProbeMessageKind::kEcho || read->bytes == plaintext.size());
  require(!nsm::parse_inner_ip(plaintext) && !nsm::read_frame(plaintext));
  Plaintext again(plaintext.size(), 0xee);
  nsm::write_probe_message(*read, again);
  require(nsm::read_probe_message(again) == read);
}

class Link {
 public:
  Link(FuzzedInput& input, std::uint32_t max, std::uint32_t passes)
      : input_(input), max_(max), passes_(passes), quality_(max) {}

  void step() {
    switch (input_.number<std::uint8_t>() % 5) {
      case 0:
        return wait(input_.number<std::uint8_t>() * nsm::kNsPerMs);
      case 1:
        return wait(input_.number<std::uint8_t>() * 10 * nsm::kNsPerMs);
      case 2:
        return answer(input_.number<std::uint8_t>());
      case 3:
        return forge(input_.number<std::uint8_t>());
      case 4:
        passes_ = kMinMtu + static_cast<std::uint32_t>(input_.below(1500));
        return;
    }
  }

  void require_recovery() {
    const std::uint64_t until_ns = now_ns_ + 60 * nsm::kNsPerSecond;
    while (now_ns_ < until_ns) {
      sent_.clear();
      tick();
      now_ns_ += nsm::kNsPerMs;
      for (const ProbeMessage& probe : sent_)
        if (probe.bytes <= passes_) quality_.echoed(echo_of(probe), now_ns_);
      now_ns_ = std::max(now_ns_, next_ns_);
    }
    require(quality_.verdict() == nsm::Verdict::kUp);
    require(quality_.mtu_bytes() <= passes_ && quality_.mtu_bytes() + 8 >= std::min(max_, passes_));
  }

 private:
  static ProbeMessage echo_of(ProbeMessage probe) {
    probe.kind = ProbeMessageKind::kEcho;
    return probe;
  }

  void wait(std::uint64_t ns) {
    now_ns_ += ns;
    tick();
    require(quality_.lost() <= quality_.probes() && quality_.loss_ppm() <= 1'000'000);
  }

  void tick() {
    const auto send = [&](const ProbeMessage& probe) {
      require(probe.kind == ProbeMessageKind::kProbe && probe.bytes >= nsm::kProbeMessageBytes);
      require(probe.bytes <= std::max(max_, kMinMtu));
      sent_.push_back(probe);
    };
    next_ns_ = quality_.tick(now_ns_, send);
    require(next_ns_ > now_ns_);
    require(quality_.mtu_bytes() <= std::max(max_, kMinMtu));
  }

  void answer(std::size_t which) {
    if (!sent_.empty()) quality_.echoed(echo_of(sent_[sent_.size() - 1 - which % sent_.size()]), now_ns_);
  }

  // An echo without a probe changes nothing.
  void forge(std::size_t which) {
    if (sent_.empty()) return;
    ProbeMessage echo = echo_of(sent_[which % sent_.size()]);
    const ProbeMessage truth = echo;
    echo.sequence ^= input_.number<std::uint8_t>();
    echo.sent_ns ^= input_.number<std::uint8_t>();
    echo.bytes ^= input_.number<std::uint8_t>();
    if (echo == truth) return;
    const auto before = figures();
    quality_.echoed(echo, now_ns_);
    require(figures() == before);
  }

  std::array<std::uint64_t, 7> figures() const {
    return {static_cast<std::uint64_t>(quality_.verdict()),
            quality_.mtu_bytes(),
            quality_.rtt_ns(),
            quality_.jitter_ns(),
            quality_.loss_ppm(),
            quality_.probes(),
            quality_.lost()};
  }

  FuzzedInput& input_;
  std::uint32_t max_, passes_;
  nsm::LinkQuality quality_;
  std::uint64_t now_ns_ = nsm::kNsPerSecond;
  std::uint64_t next_ns_ = 0;
  std::vector<ProbeMessage> sent_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMaxSteps = 200;
  check_message(Plaintext(data, data + size));
  FuzzedInput input(data, size);
  const auto max = static_cast<std::uint32_t>(kMinMtu + input.below(9000));
  Link link(input, max, kMinMtu + static_cast<std::uint32_t>(input.below(1500)));
  for (int step = 0; step < kMaxSteps && !input.empty(); step++) link.step();
  link.require_recovery();
  return 0;
}
