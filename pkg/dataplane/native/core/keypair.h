// The transport keys of one session, split by direction because each direction
// has its own thread. Made by the control thread, moved once to the data thread
// that uses it, moved back or destroyed there: never shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "aead.h"
#include "replay-window.h"
#include "wireguard-limits.h"

namespace nsm {

// Owner: the egress thread, from Decisions::install_send until it is replaced.
struct SendKey {
  std::unique_ptr<AeadKey> key;
  std::uint32_t remote_index = 0;  // receiver index to write into data messages
  std::uint64_t created_ns = 0;    // CLOCK_BOOTTIME
  std::uint64_t next_counter = 0;

  // How many packets it may still seal at this time; 0: ask for a handshake.
  // A data thread's clock may stand a little before that of the key's maker.
  std::uint64_t remaining(std::uint64_t now_ns) const noexcept {
    if (now_ns >= created_ns + kRejectAfterNs || next_counter >= kRejectAfterMessages) return 0;
    return kRejectAfterMessages - next_counter;
  }
};

// Owner: the ingress thread, from Decisions::install_receive to drop_receive.
struct ReceiveKey {
  std::unique_ptr<AeadKey> key;
  std::uint32_t local_index = 0;  // receiver index that data messages carry
  std::uint64_t created_ns = 0;   // CLOCK_BOOTTIME
  ReplayWindow window;
  // We answered this handshake: the first authentic packet proves that the peer
  // has the key. The ingress thread then clears this and reports the index to
  // WireguardMachine::confirm.
  bool awaits_confirmation = false;
  // Where window.next() is kept for a restart; may be null.
  std::atomic<std::uint64_t>* saved_counter = nullptr;

  bool usable(std::uint64_t now_ns) const noexcept { return now_ns < created_ns + kRejectAfterNs; }

  // Accepts the counter of an opened packet: new, not too old, within limits.
  bool accept(std::uint64_t counter) noexcept {
    return counter < kRejectAfterMessages && window.accept(counter);
  }
  // INVARIANT: call it after the accepts of a batch and before any packet of
  // the batch is delivered. A restarted engine refuses all counters below the
  // saved one, so nothing that was delivered can be delivered again.
  void save_counter() noexcept {
    if (saved_counter != nullptr) saved_counter->store(window.next(), std::memory_order_release);
  }
};

}  // namespace nsm
