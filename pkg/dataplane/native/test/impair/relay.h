// The relay: two sides, a link in each direction, and commands that change the faults at run time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "link.h"
#include "side.h"

namespace nsm::impair {

class Relay {
 public:
  struct Options {
    Side::Places left, right;
    std::uint64_t seed = 1;
  };
  // Throws std::system_error if a socket cannot be opened.
  explicit Relay(const Options& options);

  // Executes one line: [from-left | from-right] COMMAND of faults.h for one direction or both, or
  //
  //   rebind SIDE [MS]   the relay changes its source port towards that side, once or every MS ms (0: stop)
  //   stats              returns the statistics instead of "ok"
  //
  // Returns the answer: "ok", or "error: " and an error message.
  std::string execute(std::string_view line);
  // Relays until standard input ends; answers each line of it on standard output.
  void run();
  std::string statistics();

 private:
  struct Rebinding {
    std::uint64_t every_ns = 0;  // 0: off
    std::uint64_t next_ns = UINT64_MAX;
  };
  std::string rebind(const std::vector<std::string_view>& words);
  void move(std::uint64_t now_ns);
  void rebind_due(std::uint64_t now_ns);
  std::uint64_t next_ns() const noexcept;
  bool serve_input();

  std::array<Side, 2> sides_;            // left, right
  std::array<Link, 2> links_;            // from left, from right
  std::array<Rebinding, 2> rebindings_;  // of the sides
  std::string input_;                    // an incomplete line
};

}  // namespace nsm::impair
