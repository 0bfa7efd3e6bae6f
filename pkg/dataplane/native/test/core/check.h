// The whole test framework: TEST("subject does what") { CHECK(...); }, one
// program per subject, linked with check-main.cc.
#pragma once

#include <cstdio>
#include <source_location>
#include <vector>

namespace nsm::test {

struct Case {
  const char* name;
  void (*run)();
};
inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
inline int failed_checks = 0;  // of the running test case

struct Register {
  Register(const char* name, void (*run)()) { cases().push_back({name, run}); }
};

inline bool check(bool ok, const char* what, std::source_location at = std::source_location::current()) {
  if (ok) return true;
  std::printf("  %s:%u: check failed: %s\n", at.file_name(), at.line(), what);
  failed_checks++;
  return false;
}

}  // namespace nsm::test

#define NSM_JOIN2(a, b) a##b
#define NSM_JOIN(a, b) NSM_JOIN2(a, b)
#define TEST(name)                                                                                           \
  static void NSM_JOIN(test_case_, __LINE__)();                                                              \
  static const nsm::test::Register NSM_JOIN(test_register_, __LINE__)(name, NSM_JOIN(test_case_, __LINE__)); \
  static void NSM_JOIN(test_case_, __LINE__)()
#define CHECK(condition) nsm::test::check((condition), #condition)
