#include "path.h"

namespace nsm {

void Path::echoed(const PathMessage& echo, std::uint64_t now_ns) noexcept {
  Probe* const probe = log_.find(echo);
  if (probe == nullptr) return;
  const bool watched = probe->purpose == Probe::Purpose::kWatch;
  if (watched && probe->fate == Probe::Fate::kLost) lost_--;  // only late
  probe->fate = Probe::Fate::kAnswered;
  health_.answered(probe->message, now_ns);
  mtu_.answered(probe->message.bytes);
}

void Path::pause() noexcept {
  forget();
  health_.lose_sight();
}

void Path::forget() noexcept {
  log_.forget();
  health_.forget_losses();
}

void Path::judge(std::uint64_t now_ns) noexcept {
  if (due_ns_ != UINT64_MAX && now_ns > due_ns_ + kStallNs) forget();
  while (const Probe* const probe = log_.lose(now_ns, health_.patience_ns())) {
    if (probe->purpose == Probe::Purpose::kSearch) continue;
    lost_++;
    health_.lost(probe->message);
    mtu_.lost(probe->message.bytes);
  }
  health_.judge(now_ns);
}

}  // namespace nsm
