#include "check.h"

int main() {
  int passed = 0, failed = 0;
  for (const auto& test : nsm::test::cases()) {
    nsm::test::failed_checks = 0;
    test.run();
    const bool ok = nsm::test::failed_checks == 0;
    (ok ? passed : failed)++;
    if (!ok) std::printf("FAILED %s\n", test.name);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
