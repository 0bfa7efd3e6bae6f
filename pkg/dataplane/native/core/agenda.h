// Who waiting_ports to be called when: the next is found without looking at the others.
#pragma once

#include <cstdint>
#include <set>
#include <utility>

namespace nsm {

// Base of what has a time in an Agenda.
class Timed {
  friend class Agenda;
  std::uint64_t due_ns_ = UINT64_MAX;  // never: in no agenda
};

// Owner: the control thread.
class Agenda {
 public:
  // Moves it from the time that it had; UINT64_MAX takes it out, which must be done before it dies.
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

  // UINT64_MAX: nobody waiting_ports anything.
  std::uint64_t next() const noexcept { return entries_.empty() ? UINT64_MAX : entries_.begin()->first; }

  // Takes out who is due at `now_ns`; nullptr: nobody (more).
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
