#include "link-quality.h"

namespace nsm {

bool LinkQuality::echoed(const ProbeMessage& echo, std::uint64_t now_ns) noexcept {
  Probe* const probe = log_.find(echo);
  if (probe == nullptr) return false;
  const bool watched = probe->purpose == Probe::Purpose::kWatch;
  if (watched && probe->fate == Probe::Fate::kLost) lost_--;  // it was only late
  probe->fate = Probe::Fate::kAnswered;
  detector_.answered(probe->message, now_ns);
  mtu_.answered(probe->message.bytes);
  return true;
}

void LinkQuality::suspend() noexcept {
  forget();
  detector_.suspend();
}

void LinkQuality::forget() noexcept {
  log_.forget();
  detector_.forget_losses();
}

void LinkQuality::judge(std::uint64_t now_ns) noexcept {
  if (due_ns_ != UINT64_MAX && now_ns > due_ns_ + kStallNs) forget();
  while (const Probe* const probe = log_.lose(now_ns, detector_.timeout_ns())) {
    if (probe->purpose == Probe::Purpose::kSearch) continue;
    lost_++;
    detector_.lost(probe->message);
    mtu_.lost(probe->message.bytes);
  }
  detector_.judge(now_ns);
}

}  // namespace nsm
