#include "bench/options.h"

#include <errno.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace nsm::bench {

Options::Options(int argc, char** argv) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (!name.starts_with("--")) fail("'" + std::string(name) + "' is not an option");
    if (i + 1 == argc) fail(std::string(name) + " needs a value");
    values_[std::string(name.substr(2))] = argv[i + 1];
  }
}

double Options::number(std::string_view name, double min, double max) const {
  const std::string& value = text(name);
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != 0 || !(number >= min && number <= max)) {
    fail("--" + std::string(name) + ": '" + value + "' is not a number from " + std::to_string(min) + " to " +
         std::to_string(max));
  }
  return number;
}

std::uint16_t Options::port() const { return static_cast<std::uint16_t>(number("port", 1, UINT16_MAX)); }

const std::string& Options::text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) fail("--" + std::string(name) + " is missing");
  return found->second;
}

void fail(const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, why.c_str());
  std::exit(2);
}

void fail_errno(const std::string& what) { fail("cannot " + what + ": " + std::strerror(errno)); }

}  // namespace nsm::bench
