// nsm-impair: a UDP relay that emulates a bad link, as bad as a test wants, repeatably.
//
//   left endpoint <-> --left ADDRESS        --right ADDRESS <-> right endpoint
//
// Each endpoint uses the relay's address on its side as the address of its peer.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>

#include "relay.h"

namespace nsm::impair {
namespace {

constexpr const char* kUsage =
    "usage: nsm-impair --left ADDRESS:PORT[,PEER:PORT] --right ADDRESS:PORT[,PEER:PORT] [--seed NUMBER]\n"
    "                  [COMMAND]...\n"
    "Without PEER, that side's endpoint is the last sender. Commands are also read from standard input, one "
    "per line:\n"
    "  [from-left|from-right] drop PERCENT | burst PERCENT LENGTH | corrupt PERCENT | duplicate PERCENT |\n"
    "    reorder PERCENT DEPTH | delay MS [JITTER_MS] | rate BITS_PER_SECOND | mtu BYTES | clear\n"
    "  rebind left|right [EVERY_MS]\n"
    "  stats\n";

bool read_places(const std::string& text, Side::Places& places) {
  const std::size_t comma = text.find(',');
  const auto listen = read_address(text.substr(0, comma));
  if (!listen) return false;
  places.listen = *listen;
  if (comma != std::string::npos) places.peer = read_address(text.substr(comma + 1));
  return comma == std::string::npos || places.peer;
}

// Returns how many arguments are options; 0 if one of them is wrong.
int read_options(int count, char** arguments, Relay::Options& options) {
  int at = 1;
  bool has_left = false, has_right = false;
  for (; at + 1 < count && std::strncmp(arguments[at], "--", 2) == 0; at += 2) {
    const std::string name = arguments[at], value = arguments[at + 1];
    const char* const end = value.data() + value.size();
    if (name == "--left" ? !(has_left = read_places(value, options.left))
        : name == "--right"
            ? !(has_right = read_places(value, options.right))
            : name != "--seed" || std::from_chars(value.data(), end, options.seed).ptr != end) {
      return 0;
    }
  }
  return has_left && has_right ? at : 0;
}

int run(int count, char** arguments) {
  Relay::Options options;
  const int commands = read_options(count, arguments, options);
  if (commands == 0) return std::fputs(kUsage, stderr), 2;
  Relay relay(options);
  for (int i = commands; i < count; i++) {
    const std::string answer = relay.execute(arguments[i]);
    if (answer != "ok") return std::fprintf(stderr, "nsm-impair: %s\n", answer.c_str()), 2;
  }
  std::printf("relaying, seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::fflush(stdout);
  relay.run();
  std::printf("%s\n", relay.statistics().c_str());
  return 0;
}

}  // namespace
}  // namespace nsm::impair

int main(int count, char** arguments) {
  try {
    return nsm::impair::run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "nsm-impair: %s\n", error.what());
    return 1;
  }
}
