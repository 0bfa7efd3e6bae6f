// The latest probes to another node: which of them were answered.
#pragma once

#include <array>
#include <cstdint>

#include "environment.h"
#include "probe-message.h"

namespace nsm {

struct Probe {
  enum class Fate : std::uint8_t { kNone, kOutstanding, kAnswered, kLost };
  enum class Purpose : std::uint8_t { kWatch, kSearch };  // kSearch looks for the MTU: it may well be lost
  ProbeMessage message;
  Purpose purpose = Purpose::kWatch;
  Fate fate = Fate::kNone;
};

class ProbeLog {
 public:
  const ProbeMessage& add(std::uint32_t bytes, Probe::Purpose purpose, std::uint64_t now_ns) noexcept {
    Probe& probe = at(next_);
    probe = {{ProbeMessageKind::kProbe, next_, now_ns, bytes}, purpose, Probe::Fate::kOutstanding};
    next_++;
    return probe.message;
  }

  // The probe that `echo` answers. Null: it is not ours, or was answered already.
  Probe* find(const ProbeMessage& echo) noexcept {
    Probe& probe = at(echo.sequence);
    const ProbeMessage asked{ProbeMessageKind::kProbe, echo.sequence, echo.sent_ns, echo.bytes};
    const bool open = probe.fate == Probe::Fate::kOutstanding || probe.fate == Probe::Fate::kLost;
    return open && probe.message == asked ? &probe : nullptr;
  }

  // The next probe that had no answer within `timeout_ns`, or has to make room for
  // new ones; it is lost now. Null: there is none. Returns each probe once.
  Probe* lose(std::uint64_t now_ns, std::uint64_t timeout_ns) noexcept {
    const auto is_over = [&] { return at(judged_).message.sent_ns + timeout_ns <= now_ns; };
    for (; judged_ != next_ && (is_over() || is_full()); judged_++) {
      Probe& probe = at(judged_);
      if (probe.message.sequence != judged_ || probe.fate != Probe::Fate::kOutstanding) continue;
      probe.fate = Probe::Fate::kLost;
      judged_++;
      return &probe;
    }
    return nullptr;
  }

  // When the next probe times out (CLOCK_BOOTTIME ns); UINT64_MAX: none is outstanding.
  std::uint64_t next_timeout(std::uint64_t timeout_ns) const noexcept {
    return judged_ == next_ ? UINT64_MAX : all_[judged_ % kMax].message.sent_ns + timeout_ns;
  }

  // Outstanding probes count neither as answered nor as lost.
  void forget() noexcept {
    for (Probe& probe : all_)
      if (probe.fate == Probe::Fate::kOutstanding) probe.fate = Probe::Fate::kNone;
    judged_ = next_;
  }

  // Losses per million of the probes that are answered or lost; 0 when there are none.
  std::uint32_t loss_ppm() const noexcept {
    std::uint64_t lost = 0, answered = 0;
    for (const Probe& probe : all_) {
      if (probe.purpose == Probe::Purpose::kSearch) continue;
      lost += probe.fate == Probe::Fate::kLost;
      answered += probe.fate == Probe::Fate::kAnswered;
    }
    return lost == 0 ? 0 : static_cast<std::uint32_t>(lost * 1'000'000 / (lost + answered));
  }

 private:
  static constexpr std::uint32_t kMax = 128;
  static constexpr std::uint32_t kRoom = 16;  // more than are sent between two calls of lose()

  // INVARIANT: no probe is overwritten before it is answered or lost. A late echo can
  // make the timeout longer than it takes to fill the log.
  bool is_full() const noexcept { return next_ - judged_ > kMax - kRoom; }
  Probe& at(std::uint32_t sequence) noexcept { return all_[sequence % kMax]; }

  std::array<Probe, kMax> all_;
  std::uint32_t next_ = 0;    // sequence
  std::uint32_t judged_ = 0;  // sequence; all below it are answered or lost
};

}  // namespace nsm
