// nsm-dataplane: runs the program that the first argument names.
#include <cstdio>
#include <string_view>

#include "programs.h"

namespace {

struct Program {
  std::string_view name;
  const char* help;
  int (*main)(int argc, char** argv);
};

constexpr Program kPrograms[] = {
    {"hold", "run the holder, which keeps descriptors and supervises the engine (see hold --help)",
     nsm::holder_main},
    {"engine", "run the engine, which moves packets (started by hold)", nsm::engine_main},
};

void print_help(std::FILE* out) {
  std::fputs("Usage: nsm-dataplane PROGRAM [OPTION]...\n\nPrograms:\n", out);
  for (const Program& program : kPrograms) {
    std::fprintf(out, "  %-10s %s\n", program.name.data(), program.help);
  }
  std::fputs("  --version  print the version\n  --help     print this help\n", out);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Program& program : kPrograms) {
    if (name == program.name) return program.main(argc - 1, argv + 1);
  }
  if (name == "--version") return std::puts("nsm-dataplane " NSM_BUILD) < 0;
  if (name == "--help") return print_help(stdout), 0;
  if (!name.empty()) std::fprintf(stderr, "nsm-dataplane: unknown program '%s'\n\n", argv[1]);
  print_help(stderr);
  return 2;
}
