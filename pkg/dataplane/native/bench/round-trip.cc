// nsm-round-trip: measures the round-trip time of a request and its answer.
//
//   nsm-round-trip serve --ip ADDRESS --port N                 answers requests over TCP and UDP
//   nsm-round-trip tcp --ip ADDRESS --port N --seconds S       one byte each way, repeatedly
//   nsm-round-trip udp --ip ADDRESS --port N --seconds S --rate PER-SECOND
//
// ping is not suitable: it prints each answer, and the kernel answers in its softirq. Here both ends
// are programs that the kernel must wake up, and the clock is read where an application would read it.
#include "bench/round-trip.h"

#include <string_view>

int main(int argc, char** argv) {
  using namespace nsm::bench;
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "serve") return serve_echo(Options(argc - 1, argv + 1));
  if (what == "tcp") return measure_tcp(Options(argc - 1, argv + 1));
  if (what == "udp") return measure_udp(Options(argc - 1, argv + 1));
  fail("the first argument must be serve, tcp or udp");
}
