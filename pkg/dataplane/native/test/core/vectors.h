// Third-party test vectors, read from $NSM_VECTORS or the default of the build.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "check.h"
#include "core/bytes.h"
#include "json.h"

namespace nsm::test {

inline std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return out;
}

template <typename To = Key>
To key_from_hex(const std::string& hex) {
  const auto bytes = from_hex(hex);
  To key{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), key.size()), key.begin());
  return key;
}

// Empty if the file does not exist; prints that once.
inline std::optional<Json> read_vectors(const std::string& name) {
  const char* const folder = std::getenv("NSM_VECTORS");
  const auto path = std::filesystem::path(folder != nullptr ? folder : NSM_VECTORS_DEFAULT) / name;
  std::ifstream file(path);
  if (!file) {
    std::printf("skipped: vectors absent: %s (set NSM_VECTORS to their folder)\n", path.c_str());
    return std::nullopt;
  }
  std::ostringstream text;
  text << file.rdbuf();
  return JsonReader(text.str()).value();
}

}  // namespace nsm::test
