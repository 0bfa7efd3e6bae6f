// A timer queue: the next timer is found without looking at the others.
#pragma once

#include <cstdint>
#include <set>
#include <utility>

namespace nsm {

// The base class of what can be put into an Agenda.
class Timed {
  friend class Agenda;
  std::uint64_t due_ns_ = UINT64_MAX;  // UINT64_MAX: in no agenda
};

// Owner: the control thread.
class Agenda {
 public:
  // Adds `timed`, or moves it to another time. UINT64_MAX removes it, which must be done before it is
  // destroyed.
  void set(Timed& timed, std::uint64_t due_ns) {
    if (timed.due_ns_ == due_ns) return;
    auto entry = entries_.extract({timed.due_ns_, &timed});
    timed.due_ns_ = due_ns;
    if (due_ns == UINT64_MAX) return;
    if (entry.empty()) {
      entries_.emplace(due_ns, &timed);
    } else {
      entry.value().first = due_ns;
      entries_.insert(std::move(entry));
    }
  }

  // When the next one is due; UINT64_MAX: the agenda is empty.
  std::uint64_t next() const noexcept { return entries_.empty() ? UINT64_MAX : entries_.begin()->first; }

  // Removes and returns the earliest one that is due at `now_ns`; nullptr: none is due (any more).
  Timed* take(std::uint64_t now_ns) {
    if (next() > now_ns) return nullptr;
    Timed* const timed = entries_.begin()->second;
    set(*timed, UINT64_MAX);
    return timed;
  }

 private:
  std::set<std::pair<std::uint64_t, Timed*>> entries_;
};

}  // namespace nsm
