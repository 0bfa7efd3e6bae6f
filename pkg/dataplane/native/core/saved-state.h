// What survives a restart of the engine, as the layout of the sealed memory that the
// holder keeps (protocol.h, kEngineStateFd). It has fixed slots, one per wireguard port,
// found by the port's id:
//
//   SavedHeader | SavedPeer 0 | SavedPeer 1 | ...
//
// Receive keys are restored, sending keys never are, because reusing a counter would
// break the cipher; a handshake makes a new sending key. Pages of unused slots are never
// touched: the memory is sparse.
// Crash: every part is validated by itself (a checksum, or two alternating copies), so
// that a torn write loses only that part.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aead.h"
#include "bytes.h"
#include "tai64n.h"

namespace nsm {

inline constexpr std::size_t kSavedIdBytes = 64;
inline constexpr std::size_t kSavedKeys = 4;  // the sessions of a peer

// A timestamp that only grows, written to two copies in turn.
class SavedTimestamp {
 public:
  Timestamp read() const noexcept;
  void write(const Timestamp& stamp) noexcept;

 private:
  struct Copy {
    Timestamp stamp;
    std::uint32_t sum;
    bool valid() const noexcept;
  };
  Copy copies_[2];
};

struct RestoredKey {
  SecretKey key;
  AeadAlgorithm algorithm = AeadAlgorithm::kChaCha20Poly1305;
  std::uint32_t local_index = 0;
  std::uint64_t created_ns = 0;    // CLOCK_BOOTTIME
  std::uint64_t next_counter = 0;  // all below it may have been delivered
};

// One receive key. The ingress thread stores `counter`, the control thread the rest.
class SavedReceiveKey {
 public:
  void write(const RestoredKey& from) noexcept;
  std::optional<RestoredKey> read() const noexcept;
  void wipe() noexcept;
  bool empty() const noexcept { return local_index_ == 0 && created_ns_ == 0; }
  std::uint32_t local_index() const noexcept { return local_index_; }
  std::atomic<std::uint64_t>* counter() noexcept { return &counter_; }

 private:
  std::uint32_t sum() const noexcept;

  std::atomic<std::uint64_t> counter_;
  std::uint64_t created_ns_;
  std::uint32_t local_index_;
  std::uint32_t algorithm_;
  std::uint8_t key_[kKeyBytes];
  std::uint32_t checksum_;
  [[maybe_unused]] std::uint32_t reserved_;  // pads this to 64 bytes
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "counters are shared through plain memory");

struct SavedPeer {
  char id[kSavedIdBytes];   // padded with zeros; all zero: the slot is free
  SavedTimestamp received;  // the greatest of the initiations that we accepted
  SavedTimestamp sent;      // of our own latest initiation
  SavedReceiveKey keys[kSavedKeys];
};

// The slots. Owner: the control thread.
class SavedState {
 public:
  // `memory` is page aligned, mapped shared, and outlives this. When it is new, damaged
  // or of another version, all slots are free.
  explicit SavedState(Bytes memory);
  SavedState(const SavedState&) = delete;
  SavedState& operator=(const SavedState&) = delete;

  bool resumed() const noexcept { return resumed_; }  // an earlier engine has left its state
  // The slot of this id, a new one if there is none; nullptr: all slots are taken, or the id is too long.
  SavedPeer* take(std::string_view id);
  // Wipes and frees the slot of this id, if there is one.
  void release(std::string_view id);
  std::size_t slots() const noexcept { return slots_.size(); }

 private:
  void index_slots();
  SavedPeer* free_slot();

  struct Header;
  Header* header_ = nullptr;
  std::span<SavedPeer> slots_;
  std::unordered_map<std::string, SavedPeer*> by_id_;
  std::vector<SavedPeer*> freed_;
  bool resumed_ = false;
};

}  // namespace nsm
