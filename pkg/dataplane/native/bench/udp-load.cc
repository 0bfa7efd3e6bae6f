// nsm-udp-load: sends UDP at a given rate in one direction, and reports exactly what arrived. Plain
// datagrams without segmentation offload, as applications send them.
//
//   nsm-udp-load receive --ip ADDRESS --port N
//   nsm-udp-load send --ip ADDRESS --port N --bytes N --rate PER-SECOND --seconds S
//        --warm-up S
//
// The warm-up has the same rate and is not counted: it gives the scheduler time to spread the threads
// over the cores. `send` prints one JSON object: how many packets were requested, sent, received, lost,
// duplicated and reordered, and how long sending and receiving took.
#include "bench/udp-load.h"

#include <string_view>

int main(int argc, char** argv) {
  using namespace nsm::bench;
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "receive") return receive_load(Options(argc - 1, argv + 1));
  if (what == "send") return send_load(Options(argc - 1, argv + 1));
  fail("the first argument must be receive or send");
}
