// The keys of a peer: made by handshakes, installed in the data threads, erased.
#include "peer.h"

namespace nsm {

void Peer::start_session(const NewSession& from, Now now) {
  Session& session = sessions_.place_for_new();
  if (!session.empty()) drop_session(session);
  session.local_index = from.local_index;
  session.created_ns = now.boot_ns;
  session.initiated = from.initiated;
  touch();
  if (session.saved != nullptr)
    session.saved->write({from.receive, config_.algorithm, from.local_index, now.boot_ns, 0});
  parts_.decisions.install_receive(*this, make_receive_key(from, session));
  if (from.initiated)
    make_current(session, make_send_key(from, session));
  else
    session.waiting = make_send_key(from, session);
}

std::unique_ptr<ReceiveKey> Peer::make_receive_key(const NewSession& from, const Session& session) const {
  auto key = std::make_unique<ReceiveKey>();
  key->key = parts_.suite.make_key(config_.algorithm, from.receive);
  key->local_index = from.local_index;
  key->created_ns = session.created_ns;
  key->awaits_confirmation = !from.initiated;
  if (session.saved != nullptr) key->saved_counter = session.saved->counter();
  return key;
}

std::unique_ptr<SendKey> Peer::make_send_key(const NewSession& from, const Session& session) const {
  auto key = std::make_unique<SendKey>();
  key->key = parts_.suite.make_key(config_.algorithm, from.send);
  key->remote_index = from.remote_index;
  key->created_ns = session.created_ns;
  return key;
}

void Peer::make_current(Session& session, std::unique_ptr<SendKey> key) noexcept {
  sessions_.set_current(&session);
  activity_.counter(0);
  touch();
  renewed_for_receiving_ = false;
  parts_.decisions.install_send(*this, std::move(key));
}

void Peer::confirm(std::uint32_t local_index, const SocketAddress& from, Now now) noexcept {
  Session* const session = sessions_.find(local_index);
  if (session == nullptr || !session->waiting) return;  // expired or replaced in the meantime
  std::unique_ptr<SendKey> key = std::move(session->waiting);
  roam(from);
  abandon_handshake();  // our own handshake would only make yet another session
  const Session* const current = sessions_.current();
  if (current == nullptr || current->created_ns <= session->created_ns)
    make_current(*session, std::move(key));
  established(now);
}

void Peer::established(Now now) noexcept {
  handshake_ns_ = now.boot_ns;
  if (verdict_ == Verdict::kUp) return;
  verdict_ = Verdict::kUp;
  parts_.decisions.session_up(*this);
}

void Peer::went_down(SessionLoss why, Now now) noexcept {
  if (verdict_ == Verdict::kDown) return;
  verdict_ = Verdict::kDown;
  loss_ = why;
  down_ns_ = now.boot_ns;
  parts_.decisions.session_down(*this);
}

void Peer::drop_session(Session& session) noexcept {
  if (&session == sessions_.current()) {
    sessions_.set_current(nullptr);
    parts_.decisions.drop_send(*this);
  }
  parts_.decisions.drop_receive(*this, session.local_index);
  indexes_.release(session.local_index);
  SavedReceiveKey* const saved = session.saved;
  if (saved != nullptr) saved->wipe();
  session = {};
  session.saved = saved;
}

bool Peer::can_send(Now now) const noexcept {
  const Session* const current = sessions_.current();
  return current != nullptr && now.boot_ns < current->expires_ns() &&
         activity_.send_counter.load(std::memory_order_relaxed) < kRejectAfterMessages;
}

// Sending keys are not restored, because it is not known which counters they have used.
void Peer::restore(Now now) {
  touch();
  for (Session& session : sessions_.all()) {
    if (session.saved == nullptr || session.saved->empty()) continue;
    const std::optional<RestoredKey> saved = session.saved->read();
    const bool valid = saved && saved->created_ns <= now.boot_ns &&
                       now.boot_ns - saved->created_ns < kRejectAfterNs &&
                       saved->algorithm == config_.algorithm && indexes_.claim(saved->local_index, *this);
    if (!valid) {
      session.saved->wipe();
      continue;
    }
    session.local_index = saved->local_index;
    session.created_ns = saved->created_ns;
    auto receive = std::make_unique<ReceiveKey>();
    receive->key = parts_.suite.make_key(saved->algorithm, saved->key);
    receive->local_index = saved->local_index;
    receive->created_ns = saved->created_ns;
    receive->window = ReplayWindow::from(saved->next_counter);
    receive->saved_counter = session.saved->counter();
    parts_.decisions.install_receive(*this, std::move(receive));
  }
}

}  // namespace nsm
