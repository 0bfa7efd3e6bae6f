// The latest probes of a path: which came back, and after how long.
#pragma once

#include <array>
#include <cstdint>

#include "environment.h"
#include "path-message.h"

namespace nsm {

struct Probe {
  enum class Fate : std::uint8_t { kNone, kUnderWay, kAnswered, kLost };
  enum class Purpose : std::uint8_t { kWatch, kSearch };  // kSearch: expected to get lost
  PathMessage message;
  Purpose purpose = Purpose::kWatch;
  Fate fate = Fate::kNone;
};

class ProbeLog {
 public:
  const PathMessage& add(std::uint32_t bytes, Probe::Purpose purpose, std::uint64_t now_ns) noexcept {
    Probe& probe = at(next_);
    probe = {{PathKind::kProbe, next_, now_ns, bytes}, purpose, Probe::Fate::kUnderWay};
    next_++;
    return probe.message;
  }

  // The probe that this answers. Null: none of ours, or one that has its answer.
  Probe* find(const PathMessage& echo) noexcept {
    Probe& probe = at(echo.sequence);
    const PathMessage asked{PathKind::kProbe, echo.sequence, echo.sent_ns, echo.bytes};
    const bool open = probe.fate == Probe::Fate::kUnderWay || probe.fate == Probe::Fate::kLost;
    return open && probe.message == asked ? &probe : nullptr;
  }

  // Null: none (more) was sent `patience_ns` ago, or has to make room, and has no
  // answer. Each is told once.
  Probe* lose(std::uint64_t now_ns, std::uint64_t patience_ns) noexcept {
    const auto is_over = [&] { return at(judged_).message.sent_ns + patience_ns <= now_ns; };
    for (; judged_ != next_ && (is_over() || is_full()); judged_++) {
      Probe& probe = at(judged_);
      if (probe.message.sequence != judged_ || probe.fate != Probe::Fate::kUnderWay) continue;
      probe.fate = Probe::Fate::kLost;
      judged_++;
      return &probe;
    }
    return nullptr;
  }

  // CLOCK_BOOTTIME ns when lose() may find the next; UINT64_MAX: nothing is under way.
  std::uint64_t next_judgement(std::uint64_t patience_ns) const noexcept {
    return judged_ == next_ ? UINT64_MAX : all_[judged_ % kMax].message.sent_ns + patience_ns;
  }

  // What is under way is neither answered nor lost: nobody could have noticed.
  void forget() noexcept {
    for (Probe& probe : all_)
      if (probe.fate == Probe::Fate::kUnderWay) probe.fate = Probe::Fate::kNone;
    judged_ = next_;
  }

  // Of the probes that are judged, how many in a million got lost; 0 when none is.
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

  // INVARIANT: what is not judged is still here. A late echo can make the patience
  // longer than it takes to fill the log.
  bool is_full() const noexcept { return next_ - judged_ > kMax - kRoom; }
  Probe& at(std::uint32_t sequence) noexcept { return all_[sequence % kMax]; }

  std::array<Probe, kMax> all_;
  std::uint32_t next_ = 0;    // sequence
  std::uint32_t judged_ = 0;  // sequence; what is below has its fate
};

}  // namespace nsm
