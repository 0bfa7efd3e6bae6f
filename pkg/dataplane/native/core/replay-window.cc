#include "replay-window.h"

#include <algorithm>

namespace nsm {

ReplayWindow ReplayWindow::from(std::uint64_t next) noexcept {
  ReplayWindow window;
  if (next == 0) return window;
  const std::uint64_t greatest = next - 1;
  window.next_ = next;
  window.seen_.fill(~0ull);
  window.seen_[greatest / kWordBits % kWords] = ~0ull >> (kWordBits - 1 - greatest % kWordBits);
  return window;
}

bool ReplayWindow::accept(std::uint64_t counter) noexcept {
  if (counter >= kRejectAfterMessages) return false;
  if (counter + kUsable + 1 < next_)
    return false;  // as in Linux, kUsable behind the greatest is still accepted
  const std::uint64_t word = counter / kWordBits;
  if (counter >= next_) {
    const std::uint64_t greatest_word = next_ == 0 ? 0 : (next_ - 1) / kWordBits;
    const std::uint64_t fresh = std::min(word - greatest_word, kWords);
    for (std::uint64_t i = 1; i <= fresh; i++) seen_[(greatest_word + i) % kWords] = 0;
    next_ = counter + 1;
  }
  std::uint64_t& bits = seen_[word % kWords];
  const std::uint64_t bit = 1ull << (counter % kWordBits);
  if ((bits & bit) != 0) return false;
  bits |= bit;
  return true;
}

}  // namespace nsm
