// The `--name value` options of a load tool. An error ends the program with a message and exit
// status 2: the tools are run by hack/bench and by hand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace nsm::bench {

class Options {
 public:
  Options(int argc, char** argv);

  // Ends the program if the option is missing or not a number from `min` to `max`.
  double number(std::string_view name, double min, double max) const;
  std::uint16_t port() const;  // --port
  // Ends the program if the option is missing.
  const std::string& text(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

[[noreturn]] void fail(const std::string& why);         // exit status 2
[[noreturn]] void fail_errno(const std::string& what);  // the same, with the text of errno

}  // namespace nsm::bench
