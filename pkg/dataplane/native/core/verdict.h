// Whether packets pass both ways, as far as was seen.
#pragma once

#include <cstdint>

namespace nsm {

// Numbered as Verdict in protocol.h.
enum class Verdict : std::uint8_t { kUnknown = 0, kUp = 1, kDown = 2 };

}  // namespace nsm
