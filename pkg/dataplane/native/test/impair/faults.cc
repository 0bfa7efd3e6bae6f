#include "faults.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

namespace nsm::impair {
namespace {

constexpr double kMaxMs = 10'000;
constexpr double kMaxNumber = 1e12;

struct Command {
  std::string_view name;
  std::string_view usage;
  std::size_t min_values;
  std::vector<double> limits;  // the greatest allowed values
  void (*apply)(Faults& faults, std::span<const double> values);
};

std::uint64_t whole(double value) noexcept { return static_cast<std::uint64_t>(value); }
std::uint64_t ns_of_ms(double ms) noexcept { return whole(ms * 1e6); }

const Command kCommands[] = {
    {"drop", "drop PERCENT", 1, {100}, [](auto& f, auto v) { f.drop_percent = v[0]; }},
    {"burst",
     "burst PERCENT LENGTH",
     2,
     {100, kMaxNumber},
     [](auto& f, auto v) { f.burst_percent = v[0], f.burst_length = whole(v[1]); }},
    {"corrupt", "corrupt PERCENT", 1, {100}, [](auto& f, auto v) { f.corrupt_percent = v[0]; }},
    {"duplicate", "duplicate PERCENT", 1, {100}, [](auto& f, auto v) { f.duplicate_percent = v[0]; }},
    {"reorder",
     "reorder PERCENT DEPTH",
     2,
     {100, kMaxReorderDepth},
     [](auto& f, auto v) {
       f.reorder_percent = v[0], f.reorder_depth = std::max<std::uint64_t>(1, whole(v[1]));
     }},
    {"delay",
     "delay MS [JITTER_MS]",
     1,
     {kMaxMs, kMaxMs},
     [](auto& f, auto v) { f.delay_ns = ns_of_ms(v[0]), f.jitter_ns = v.size() > 1 ? ns_of_ms(v[1]) : 0; }},
    {"rate", "rate BITS_PER_SECOND", 1, {kMaxNumber}, [](auto& f, auto v) { f.rate_bps = whole(v[0]); }},
    {"mtu", "mtu BYTES", 1, {65'535}, [](auto& f, auto v) { f.mtu_bytes = whole(v[0]); }},
    {"clear", "clear", 0, {}, [](auto& f, auto) { f = {}; }},
};

std::optional<double> number_of(std::string_view word) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || !(value >= 0)) return std::nullopt;
  return value;
}

}  // namespace

std::string set_fault(const std::vector<std::string_view>& words, Faults& faults) {
  if (words.empty()) return "a command is missing";
  const auto command =
      std::find_if(std::begin(kCommands), std::end(kCommands), [&](auto& c) { return c.name == words[0]; });
  if (command == std::end(kCommands)) return "unknown command: " + std::string(words[0]);
  const std::string usage = "; usage: " + std::string(command->usage);
  std::vector<double> values;
  for (std::size_t i = 1; i < words.size(); i++) {
    const auto value = number_of(words[i]);
    if (!value) return std::string(words[i]) + " is not a number of at least 0" + usage;
    values.push_back(*value);
  }
  if (values.size() < command->min_values || values.size() > command->limits.size()) {
    return std::string(words[0]) + " has the wrong number of values" + usage;
  }
  for (std::size_t i = 0; i < values.size(); i++) {
    if (values[i] > command->limits[i]) return std::string(words[i + 1]) + " is too great" + usage;
  }
  command->apply(faults, values);
  return {};
}

}  // namespace nsm::impair
