// The replay window compared with a set of all counters that were ever accepted.
#include <set>

#include "core/replay-window.h"
#include "fuzzed-input.h"

namespace {

// Steps are small moves around the greatest counter, or jumps to any value.
std::uint64_t next_counter(nsm::fuzz::FuzzedInput& input, std::uint64_t greatest) {
  switch (input.number<std::uint8_t>() % 4) {
    case 0:
      return greatest + input.number<std::uint8_t>();
    case 1:
      return greatest - input.number<std::uint16_t>();
    case 2:
      return greatest + input.number<std::uint16_t>();
    default:
      return input.number<std::uint64_t>();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nsm::fuzz::FuzzedInput input(data, size);
  nsm::ReplayWindow window;
  std::set<std::uint64_t> seen;
  while (!input.empty()) {
    const std::uint64_t greatest = seen.empty() ? 0 : *seen.rbegin();
    const std::uint64_t counter = next_counter(input, greatest);
    const bool old = !seen.empty() && counter < greatest && greatest - counter > nsm::ReplayWindow::kUsable;
    const bool fresh = counter < nsm::kRejectAfterMessages && !old && !seen.contains(counter);
    nsm::fuzz::require(window.accept(counter) == fresh);
    if (fresh) seen.insert(counter);
    if (!seen.empty()) nsm::fuzz::require(window.next() == *seen.rbegin() + 1);
  }
  return 0;
}
