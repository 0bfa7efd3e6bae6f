// The sessions of one peer. We send with the current one. All that have not expired
// receive, so that a rekey loses no packet in flight.
//
//   we initiated:  new ---------------------------------> current
//   we responded:  waiting ---first authentic packet----> current
//   formerly current, or restored after a restart: receive only
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "keypair.h"
#include "saved-state.h"

namespace nsm {

struct Session {
  std::uint32_t local_index = 0;  // 0: empty
  std::uint64_t created_ns = 0;
  bool initiated = false;            // by us, so we renew it
  std::unique_ptr<SendKey> waiting;  // we responded, and the initiator has not used the session yet
  SavedReceiveKey* saved = nullptr;  // may be null

  bool empty() const noexcept { return local_index == 0; }
  std::uint64_t expires_ns() const noexcept { return created_ns + kRejectAfterNs; }
};

class Sessions {
 public:
  static constexpr std::size_t kMax = kSavedKeys;

  explicit Sessions(SavedPeer* saved) noexcept {
    for (std::size_t i = 0; i < kMax && saved != nullptr; i++) all_[i].saved = &saved->keys[i];
  }
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  std::array<Session, kMax>& all() noexcept { return all_; }
  const std::array<Session, kMax>& all() const noexcept { return all_; }
  Session* current() noexcept { return current_; }
  const Session* current() const noexcept { return current_; }
  void set_current(Session* session) noexcept { current_ = session; }

  Session* find(std::uint32_t local_index) noexcept {
    for (Session& session : all_)
      if (!session.empty() && session.local_index == local_index) return &session;
    return nullptr;
  }
  // An empty place, or the oldest session that is not current.
  Session& place_for_new() noexcept {
    Session* oldest = nullptr;
    for (Session& session : all_) {
      if (session.empty()) return session;
      if (&session != current_ && (oldest == nullptr || session.created_ns < oldest->created_ns))
        oldest = &session;
    }
    return *oldest;
  }
  bool any() const noexcept {
    for (const Session& session : all_)
      if (!session.empty()) return true;
    return false;
  }

 private:
  std::array<Session, kMax> all_;
  Session* current_ = nullptr;
};

}  // namespace nsm
