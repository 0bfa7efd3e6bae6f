// The JSON reader of nsm-cni, over what a runtime gives it: annotations are written by users.
#include "cni/json.h"
#include "fuzzed-input.h"

using nsm::fuzz::require;
using namespace nsm::cni;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!is_json(text)) return 0;
  for (const std::string_view key : {"a", "prevResult", "networkservicemesh.io/serve", ""}) {
    const std::string_view value = member(text, key);
    if (value.empty()) continue;
    require(value.data() > text.data() && value.data() + value.size() < text.data() + text.size());
    require(is_json(value));
    char room[16];
    std::string_view decoded;
    if (decode(value, room, decoded) == Decoded::kText) require(decoded.size() <= value.size() * 3);
    member(value, key);
  }
  return 0;
}
