// When the data threads last moved packets of a peer. This is how its timers learn of
// traffic without a lock or a message. All accesses are relaxed: a timer that sees a
// value one poll late fires one poll late, and no other memory depends on it.
#pragma once

#include <atomic>
#include <cstdint>

namespace nsm {

// Written by the egress and the ingress thread once per batch, read by the control
// thread. Times are CLOCK_BOOTTIME ns; 0 means never.
class Activity {
 public:
  // Egress: a batch was sent. `data`: it held more than keepalives.
  void sent(std::uint64_t now_ns, bool data) noexcept {
    store(last_sent_ns, now_ns);
    clear(unacknowledged_since_ns);
    if (!data) return;
    store(last_data_sent_ns, now_ns);
    mark(unanswered_since_ns, now_ns);
  }
  // Ingress: a batch was authenticated. `data`: it held more than keepalives.
  void received(std::uint64_t now_ns, bool data) noexcept {
    store(last_received_ns, now_ns);
    clear(unanswered_since_ns);
    if (!data) return;
    store(last_data_received_ns, now_ns);
    mark(unacknowledged_since_ns, now_ns);
  }
  // Egress: the counter that the sending key uses next.
  void counter(std::uint64_t next) noexcept { store(send_counter, next); }

  std::atomic<std::uint64_t> last_sent_ns{0};
  std::atomic<std::uint64_t> last_data_sent_ns{0};
  std::atomic<std::uint64_t> last_received_ns{0};
  std::atomic<std::uint64_t> last_data_received_ns{0};
  std::atomic<std::uint64_t> unanswered_since_ns{0};      // first data sent since we last received anything
  std::atomic<std::uint64_t> unacknowledged_since_ns{0};  // first data received since we last sent anything
  std::atomic<std::uint64_t> send_counter{0};

 private:
  static void store(std::atomic<std::uint64_t>& at, std::uint64_t value) noexcept {
    at.store(value, std::memory_order_relaxed);
  }
  static void mark(std::atomic<std::uint64_t>& at, std::uint64_t now_ns) noexcept {
    if (at.load(std::memory_order_relaxed) == 0) store(at, now_ns);
  }
  static void clear(std::atomic<std::uint64_t>& at) noexcept {
    if (at.load(std::memory_order_relaxed) != 0) store(at, 0);
  }
};

}  // namespace nsm
