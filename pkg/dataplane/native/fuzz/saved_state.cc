// The saved state of an engine. If it is intact, everything that was written is restored; from
// corrupted memory only values that were once written are restored.
#include <map>
#include <set>

#include "core/saved-state.h"
#include "fuzzed-input.h"

namespace {

using nsm::SavedPeer;
using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;

constexpr std::size_t kSlotsAt = 4096;
constexpr std::size_t kSlots = 3;
alignas(4096) std::uint8_t memory[kSlotsAt + kSlots * sizeof(SavedPeer) + 5];

struct Model {
  std::map<std::uint32_t, std::uint64_t>
      keys;  // maps the local index to the creation time; every index is used once
  std::map<std::string, nsm::Timestamp> newest;
  std::set<nsm::Timestamp> stamps;
  std::uint32_t next_index = 1;
};

bool inside(const SavedPeer* slot) {
  const auto at = reinterpret_cast<const std::uint8_t*>(slot) - memory;
  return at >= static_cast<std::ptrdiff_t>(kSlotsAt) && (at - kSlotsAt) % sizeof(SavedPeer) == 0 &&
         at + sizeof(SavedPeer) <= sizeof memory;
}

// As after a crash in the middle of a write: either the old or the new value.
void check_torn(const nsm::SavedTimestamp& before, const nsm::SavedTimestamp& after, std::size_t written) {
  nsm::SavedTimestamp torn = before;
  std::memcpy(static_cast<void*>(&torn), &after, written);
  require(torn.read() == before.read() || torn.read() == after.read());
}

void write_stamp(SavedPeer& slot, const std::string& id, Model& model, FuzzedInput& input) {
  const nsm::SavedTimestamp before = slot.received;
  const std::uint64_t now = input.number<std::uint32_t>() * nsm::kNsPerSecond;
  const nsm::Timestamp stamp = nsm::later_than(before.read(), nsm::tai64n(now));
  slot.received.write(stamp);
  check_torn(before, slot.received, input.below(sizeof before));
  model.newest[id] = stamp;
  model.stamps.insert(stamp);
}

void write_key(SavedPeer& slot, Model& model, FuzzedInput& input) {
  nsm::RestoredKey key;
  std::ranges::copy(input.take(8), key.key.begin());
  key.local_index = model.next_index++;
  key.created_ns = input.number<std::uint64_t>();
  slot.keys[input.below(nsm::kSavedKeys)].write(key);
  model.keys[key.local_index] = key.created_ns;
}

void check_slot(const SavedPeer& slot, const Model& model) {
  const nsm::Timestamp stamp = slot.received.read();
  require(stamp == nsm::Timestamp{} || model.stamps.contains(stamp));
  for (const nsm::SavedReceiveKey& saved : slot.keys) {
    const auto key = saved.read();
    if (!key) continue;
    const auto written = model.keys.find(key->local_index);
    require(written != model.keys.end() && written->second == key->created_ns);
  }
}

// One run of the engine: ports are added and removed, keys and timestamps are written.
void live(FuzzedInput& input, Model& model) {
  nsm::SavedState state{memory};
  require(state.slots() == kSlots);
  for (std::size_t left = input.below(16); left > 0; left--) {
    const std::string id(1 + input.below(5), 'p');
    if (input.below(4) == 0) {
      state.release(id);
      model.newest.erase(id);
      continue;
    }
    SavedPeer* const slot = state.take(id);
    require(slot != nullptr || model.newest.size() >= kSlots);
    if (slot == nullptr) continue;
    require(inside(slot) && state.take(id) == slot);
    require(slot->received.read() == (model.newest.contains(id) ? model.newest[id] : nsm::Timestamp{}));
    write_stamp(*slot, id, model, input);
    write_key(*slot, model, input);
    check_slot(*slot, model);
  }
}

// Takes every slot: none lies outside the memory, and none is given out twice.
void take_all(const Model& model) {
  nsm::SavedState state{memory};
  std::set<SavedPeer*> taken;
  for (int id = 0; id < 8; id++) {
    SavedPeer* const slot = state.take(std::string(static_cast<std::size_t>(1 + id), 'p'));
    if (slot == nullptr) continue;
    require(inside(slot) && taken.insert(slot).second);
    check_slot(*slot, model);
  }
  require(taken.size() <= kSlots);
  require(state.take("") == nullptr && state.take(std::string(65, 'p')) == nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  std::memset(memory, 0, sizeof memory);
  Model model;
  live(input, model);
  live(input, model);  // the run after a restart
  while (!input.empty()) {
    const std::size_t at = input.flag() ? input.below(24) : kSlotsAt + input.below(sizeof memory - kSlotsAt);
    memory[at] ^= input.number<std::uint8_t>();
  }
  take_all(model);
  return 0;
}
