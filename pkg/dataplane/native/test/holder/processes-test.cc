// What /proc says about processes.
#include "holder/processes.h"

#include <unistd.h>

#include "test/core/check.h"

namespace {

using namespace nsm::holder;

// Fields 3 to 22, as proc(5) numbers them.
constexpr std::string_view kFields = "S 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 4321 5 6";

std::uint64_t start_with_name(std::string_view name) {
  return start_of("7 (" + std::string(name) + ") " + std::string(kFields));
}

}  // namespace

TEST("the start of a process is found whatever its name is") {
  CHECK(start_with_name("pause") == 4321);
  CHECK(start_with_name("a b) S 1 7 (c") == 4321);
  CHECK(start_with_name("") == 4321);
}

TEST("a text that says nothing has no start") {
  CHECK(start_of("") == 0);
  CHECK(start_of("7 (pause) S 1 7") == 0);
  CHECK(start_of("nonsense") == 0);
}

TEST("this process is among the processes, and started before its child would") {
  bool is_found = false;
  CHECK(each_process([&is_found](pid_t pid) { return !(is_found = pid == getpid()); }));
  CHECK(is_found);
  CHECK(start_of(read_proc("self", "stat")) > start_of(read_proc("1", "stat")));
}

TEST("a process that is not there has no pidfd") { CHECK(!open_pidfd(0x3fffffff)); }
