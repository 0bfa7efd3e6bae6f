// The timers of a peer (whitepaper section 6). They are computed from the times of past
// events instead of being kept as a list, so that a late tick gives the same result.
#include <algorithm>

#include "peer.h"

namespace nsm {
namespace {

// How often the activity of the data threads is read while there are keys. It marks the
// start of timeouts of 10 s or more, so none of these is late.
constexpr std::uint64_t kLookNs = 5 * kNsPerSecond;
// The same while the next data is going to renew the key.
constexpr std::uint64_t kRenewalLookNs = 500 * kNsPerMs;
// Silence after which a session counts as dead (KEEPALIVE_TIMEOUT + REKEY_TIMEOUT).
constexpr std::uint64_t kSilenceNs = kKeepaliveTimeoutNs + kRekeyTimeoutNs;
// Time for three initiations before a wire that never worked counts as down.
constexpr std::uint64_t kFirstAnswerNs = 11 * kNsPerSecond;
// The age at which an initiator that only receives renews the session.
constexpr std::uint64_t kRenewForReceivingNs = kRejectAfterNs - kKeepaliveTimeoutNs - kRekeyTimeoutNs;

std::uint64_t read(const std::atomic<std::uint64_t>& value) noexcept {
  return value.load(std::memory_order_relaxed);
}

// When a timeout that started at `since_ns` expires; when none has started, when to look again.
std::uint64_t wait_ends(std::uint64_t since_ns, std::uint64_t wait_ns, Now now) noexcept {
  return since_ns == 0 ? now.boot_ns + kLookNs : since_ns + wait_ns;
}

}  // namespace

std::uint64_t Peer::tick(Now now) noexcept {
  expire_sessions(now);
  retry_handshake(now);
  notice_absence(now);
  notice_silence(now);
  notice_return(now);
  acknowledge(now);
  keep_alive(now);
  keep_key_fresh(now);
  return next_deadline(now);
}

void Peer::expire_sessions(Now now) noexcept {
  for (Session& session : sessions_.all())
    if (!session.empty() && now.boot_ns >= session.expires_ns()) drop_session(session);
}

void Peer::retry_handshake(Now now) noexcept {
  if (!outgoing_) return;
  if (verdict_ == Verdict::kUp && now.boot_ns - attempt_since_ns_ >= kSilenceNs)
    went_down(SessionLoss::kSilent, now);
  if (now.boot_ns < retry_at_ns_) return;
  if (now.boot_ns - attempt_since_ns_ < kRekeyAttemptNs) return send_initiation(now);
  abandon_handshake();
  parts_.decisions.handshake_given_up(*this);
}

void Peer::notice_absence(Now now) noexcept {
  if (verdict_ != Verdict::kUnknown || first_attempt_ns_ == 0) return;
  if (now.boot_ns < first_attempt_ns_ + kFirstAnswerNs) return;
  went_down(SessionLoss::kNeverAnswered, now);
}

// We sent data and received nothing: the peer may have restarted or moved.
void Peer::notice_silence(Now now) noexcept {
  const std::uint64_t since = read(activity_.unanswered_since_ns);
  if (since == 0 || now.boot_ns < since + kSilenceNs) return;
  activity_.unanswered_since_ns.store(0,
                                      std::memory_order_relaxed);  // the next data starts the timeout again
  if (verdict_ == Verdict::kUp) went_down(SessionLoss::kSilent, now);
  want_session(now);
}

// Something came in while the peer counted as dead. A handshake shows whether packets pass both ways.
void Peer::notice_return(Now now) noexcept {
  if (verdict_ != Verdict::kDown || outgoing_ || read(activity_.last_received_ns) <= down_ns_) return;
  down_ns_ = now.boot_ns;
  want_session(now);
}

// We received data and sent nothing: a keepalive tells the peer that it arrived.
void Peer::acknowledge(Now now) noexcept {
  const std::uint64_t since = read(activity_.unacknowledged_since_ns);
  if (since == 0 || now.boot_ns < since + kKeepaliveTimeoutNs) return;
  activity_.unacknowledged_since_ns.store(0, std::memory_order_relaxed);
  if (can_send(now)) parts_.decisions.send_keepalive(*this);
}

void Peer::keep_alive(Now now) noexcept {
  if (now.boot_ns < keepalive_due_ns()) return;
  keepalive_sent_ns_ = now.boot_ns;
  if (can_send(now))
    parts_.decisions.send_keepalive(*this);
  else
    want_session(now);
}

std::uint64_t Peer::keepalive_due_ns() const noexcept {
  if (config_.keepalive_seconds == 0 || !config_.endpoint.known()) return UINT64_MAX;
  const std::uint64_t last =
      std::max({read(activity_.last_sent_ns), read(activity_.last_received_ns), keepalive_sent_ns_});
  return last == 0 ? 0 : last + config_.keepalive_seconds * kNsPerSecond;
}

// Only the initiator of a session renews it, so that the two sides do not do it at once.
void Peer::keep_key_fresh(Now now) noexcept {
  const Session* const current = sessions_.current();
  if (current == nullptr || outgoing_) return;
  if (read(activity_.send_counter) >= kRekeyAfterMessages) return want_session(now);
  if (!current->initiated) return;
  if (read(activity_.last_data_sent_ns) >= current->created_ns + kRekeyAfterNs) return want_session(now);
  if (renewed_for_receiving_) return;
  if (read(activity_.last_data_received_ns) < current->created_ns + kRenewForReceivingNs) return;
  renewed_for_receiving_ = true;
  want_session(now);
}

std::uint64_t Peer::next_deadline(Now now) const noexcept {
  std::uint64_t next = keepalive_due_ns();
  const auto by = [&next](std::uint64_t at_ns) { next = std::min(next, at_ns); };
  if (outgoing_) by(retry_at_ns_);
  if (outgoing_ && verdict_ == Verdict::kUp) by(attempt_since_ns_ + kSilenceNs);
  if (verdict_ == Verdict::kUnknown && first_attempt_ns_ != 0) by(first_attempt_ns_ + kFirstAnswerNs);
  for (const Session& session : sessions_.all())
    if (!session.empty()) by(session.expires_ns());
  if (!sessions_.any()) return next;
  by(wait_ends(read(activity_.unanswered_since_ns), kSilenceNs, now));
  by(wait_ends(read(activity_.unacknowledged_since_ns), kKeepaliveTimeoutNs, now));
  const Session* const current = sessions_.current();
  if (current != nullptr && current->initiated && !outgoing_)
    by(std::max(current->created_ns + kRekeyAfterNs, now.boot_ns + kRenewalLookNs));
  return next;
}

}  // namespace nsm
