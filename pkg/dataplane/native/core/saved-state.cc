#include "saved-state.h"

#include <algorithm>
#include <cstddef>

#include "blake2s.h"

namespace nsm {
namespace {

constexpr std::uint64_t kMagic = 0x65747461'736d736eull;
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSlotsOffset = 4096;  // slots start on a page of their own

// Detects torn writes. It need not resist an attacker: only holder and engine have this memory.
std::uint32_t checksum(ConstBytes bytes) noexcept {
  constexpr std::uint8_t kLabel[4] = {'n', 's', 'm', '1'};  // so that all zeros are invalid
  return load_le<std::uint32_t>(blake2s(kLabel, bytes).data());
}

// Keeps the compiler from moving stores across, so that a crash sees them in order.
void in_order() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

std::string_view id_of(const SavedPeer& peer) noexcept { return {peer.id, strnlen(peer.id, kSavedIdBytes)}; }

void wipe(SavedPeer& peer) noexcept { explicit_bzero(static_cast<void*>(&peer), sizeof peer); }

}  // namespace

struct SavedState::Header {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t slot_bytes;
  std::uint64_t used;  // how many slots were ever taken
};

bool SavedTimestamp::Copy::valid() const noexcept { return sum == checksum(stamp); }

Timestamp SavedTimestamp::read() const noexcept {
  Timestamp greatest = {};
  for (const Copy& copy : copies_)
    if (copy.valid() && copy.stamp > greatest) greatest = copy.stamp;
  return greatest;
}

void SavedTimestamp::write(const Timestamp& stamp) noexcept {
  const Timestamp kept = read();
  Copy& copy = copies_[0].valid() && copies_[0].stamp == kept ? copies_[1] : copies_[0];
  copy = {stamp, checksum(stamp)};
  in_order();
}

std::uint32_t SavedReceiveKey::sum() const noexcept {
  std::array<std::uint8_t, 16 + kKeyBytes> all;
  store_le(all.data(), created_ns_);
  store_le(all.data() + 8, local_index_);
  store_le(all.data() + 12, algorithm_);
  std::copy_n(key_, kKeyBytes, all.begin() + 16);
  const std::uint32_t result = checksum(all);
  explicit_bzero(all.data(), sizeof all);
  return result;
}

void SavedReceiveKey::write(const RestoredKey& from) noexcept {
  checksum_ = 0;
  in_order();
  counter_.store(from.next_counter, std::memory_order_relaxed);
  created_ns_ = from.created_ns;
  local_index_ = from.local_index;
  algorithm_ = static_cast<std::uint32_t>(from.algorithm);
  std::copy(from.key.begin(), from.key.end(), key_);
  in_order();
  checksum_ = sum();
}

std::optional<RestoredKey> SavedReceiveKey::read() const noexcept {
  if (empty() || checksum_ != sum()) return std::nullopt;
  RestoredKey restored;
  restored.key = SecretKey(key_);
  restored.algorithm = static_cast<AeadAlgorithm>(algorithm_);
  restored.local_index = local_index_;
  restored.created_ns = created_ns_;
  restored.next_counter = counter_.load(std::memory_order_acquire);
  return restored;
}

void SavedReceiveKey::wipe() noexcept {
  explicit_bzero(key_, kKeyBytes);
  checksum_ = 0;
  local_index_ = 0;
  created_ns_ = 0;
}

SavedState::SavedState(Bytes memory) {
  if (memory.size() < kSlotsOffset + sizeof(SavedPeer)) return;
  header_ = reinterpret_cast<Header*>(memory.data());
  slots_ = {reinterpret_cast<SavedPeer*>(memory.data() + kSlotsOffset),
            (memory.size() - kSlotsOffset) / sizeof(SavedPeer)};
  resumed_ = header_->magic == kMagic && header_->version == kVersion &&
             header_->slot_bytes == sizeof(SavedPeer) && header_->used <= slots_.size();
  if (resumed_) {
    index_slots();
    return;
  }
  if (header_->magic != 0) explicit_bzero(memory.data(), memory.size());  // damaged or of another version
  *header_ = {kMagic, kVersion, sizeof(SavedPeer), 0};
}

void SavedState::index_slots() {
  for (SavedPeer& slot : slots_.first(header_->used)) {
    if (slot.id[0] == 0)
      freed_.push_back(&slot);
    else
      by_id_.emplace(id_of(slot), &slot);
  }
}

SavedPeer* SavedState::free_slot() {
  if (!freed_.empty()) {
    SavedPeer* const slot = freed_.back();
    freed_.pop_back();
    return slot;
  }
  return slots_.empty() || header_->used == slots_.size() ? nullptr : &slots_[header_->used++];
}

SavedPeer* SavedState::take(std::string_view id) {
  if (id.empty() || id.size() > kSavedIdBytes) return nullptr;
  const auto found = by_id_.find(std::string(id));
  if (found != by_id_.end()) return found->second;
  SavedPeer* const slot = free_slot();
  if (slot == nullptr) return nullptr;
  wipe(*slot);
  std::copy(id.begin(), id.end(), slot->id);
  by_id_.emplace(id, slot);
  return slot;
}

void SavedState::release(std::string_view id) {
  const auto found = by_id_.find(std::string(id));
  if (found == by_id_.end()) return;
  wipe(*found->second);
  freed_.push_back(found->second);
  by_id_.erase(found);
}

}  // namespace nsm
