// The transport keys of a session, split by direction because each direction has its
// own thread. The control thread makes a key and moves it to the data thread that uses
// it, where it is destroyed. Keys are never shared.
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

  // How many packets the key may still seal; 0: a new handshake is needed. The time may
  // be a little before created_ns, because data threads read the clock earlier.
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
  // We were the responder, so the first authentic packet proves that the peer has the
  // key. The ingress thread then clears this and reports the index to
  // WireguardMachine::confirm.
  bool awaits_confirmation = false;
  // Where window.next() is saved for a restart; may be null.
  std::atomic<std::uint64_t>* saved_counter = nullptr;

  bool usable(std::uint64_t now_ns) const noexcept { return now_ns < created_ns + kRejectAfterNs; }

  // Whether the counter of an authentic packet is new, not too old, and within limits.
  bool accept(std::uint64_t counter) noexcept {
    return counter < kRejectAfterMessages && window.accept(counter);
  }
  // INVARIANT: to be called after accept() for all packets of a batch and before any of
  // them is delivered. A restarted engine refuses all counters below the saved one, so
  // no packet is delivered twice.
  void save_counter() noexcept {
    if (saved_counter != nullptr) saved_counter->store(window.next(), std::memory_order_release);
  }
};

}  // namespace nsm
