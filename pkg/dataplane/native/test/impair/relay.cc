#include "relay.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "io/clock.h"

namespace nsm::impair {
namespace {

constexpr std::string_view kSides[] = {"left", "right"};
constexpr std::string_view kDirections[] = {"from-left", "from-right"};

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    if (end > at) words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::size_t index_in(const std::string_view (&names)[2], std::string_view name) {
  return static_cast<std::size_t>(std::find(names, names + 2, name) - names);  // 2: not found
}

}  // namespace

Relay::Relay(const Options& options)
    : sides_{Side(options.left), Side(options.right)},
      links_{Link(2 * options.seed), Link(2 * options.seed + 1)} {}

std::string Relay::execute(std::string_view line) {
  auto words = split(line);
  if (words.empty()) return "error: a command is missing";
  if (words[0] == "stats") return statistics();
  std::string wrong;
  if (words[0] == "rebind") {
    wrong = rebind(words);
  } else {
    const std::size_t direction = index_in(kDirections, words[0]);
    if (direction < 2) words.erase(words.begin());
    for (std::size_t i = 0; i < links_.size() && wrong.empty(); i++) {
      if (direction == 2 || direction == i) wrong = set_fault(words, links_[i].faults());
    }
  }
  return wrong.empty() ? "ok" : "error: " + wrong;
}

std::string Relay::rebind(const std::vector<std::string_view>& words) {
  const std::size_t side = words.size() > 1 ? index_in(kSides, words[1]) : 2;
  std::uint64_t every_ms = 0;
  if (words.size() == 3) {
    const std::string_view word = words[2];
    if (std::from_chars(word.data(), word.data() + word.size(), every_ms).ptr != word.data() + word.size()) {
      return std::string(word) + " is not a whole number of milliseconds";
    }
  }
  if (side == 2 || words.size() > 3) return "usage: rebind left|right [MS]";
  if (words.size() == 2) return sides_[side].rebind(), "";
  rebindings_[side] = {every_ms * kNsPerMs, every_ms == 0 ? UINT64_MAX : 0};
  return {};
}

std::string Relay::statistics() {
  std::string json;
  for (std::size_t i = 0; i < links_.size(); i++) {
    links_[i].statistics().overrun = sides_[i].overrun();
    json += (i == 0 ? "{\"" : ",\"") + std::string(kDirections[i]) + "\":" + to_json(links_[i].statistics());
  }
  return json + "}";
}

void Relay::run() {
  for (;;) {
    const std::uint64_t now_ns = io::boot_ns();
    const std::uint64_t next = next_ns();
    const std::uint64_t wait_ns = std::min(next > now_ns ? next - now_ns : 0, kNsPerSecond);
    const timespec wait{0, static_cast<long>(std::min(wait_ns, kNsPerSecond - 1))};
    pollfd ready[] = {{sides_[0].fd(), POLLIN, 0}, {sides_[1].fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    ppoll(ready, 3, &wait, nullptr);
    move(io::boot_ns());
    if (ready[2].revents != 0 && !serve_input()) return;
  }
}

void Relay::move(std::uint64_t now_ns) {
  for (std::size_t i = 0; i < sides_.size(); i++) {
    sides_[i].receive(links_[i], now_ns);
    sides_[1 - i].send(links_[i], now_ns);
  }
  rebind_due(now_ns);
}

void Relay::rebind_due(std::uint64_t now_ns) {
  for (std::size_t i = 0; i < sides_.size(); i++) {
    Rebinding& rebinding = rebindings_[i];
    if (now_ns < rebinding.next_ns) continue;
    if (rebinding.next_ns != 0) sides_[i].rebind();  // 0: just configured, not due yet
    rebinding.next_ns = now_ns + rebinding.every_ns;
  }
}

std::uint64_t Relay::next_ns() const noexcept {
  std::uint64_t next = std::min(rebindings_[0].next_ns, rebindings_[1].next_ns);
  for (const Link& link : links_) next = std::min(next, link.line().next_ns());
  return next;
}

// False at the end of the input.
bool Relay::serve_input() {
  char buffer[4096];
  const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
  if (got <= 0) return false;
  input_.append(buffer, static_cast<std::size_t>(got));
  for (std::size_t end; (end = input_.find('\n')) != std::string::npos; input_.erase(0, end + 1)) {
    std::printf("%s\n", execute(std::string_view(input_).substr(0, end)).c_str());
    std::fflush(stdout);
  }
  return true;
}

}  // namespace nsm::impair
