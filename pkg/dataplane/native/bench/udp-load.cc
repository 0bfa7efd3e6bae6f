// nsm-udp-load: UDP at a given rate, one way, and an exact account of what
// arrived. Plain datagrams without segmentation offload, as applications send.
//
//   nsm-udp-load receive --ip ADDRESS --port N
//   nsm-udp-load send --ip ADDRESS --port N --bytes N --rate PER-SECOND --seconds S
//        --warm-up S
//
// The warm-up goes at the same rate and counts for nothing: the scheduler needs it to
// spread the path's threads over the cores. `send` prints one JSON object: how many packets were asked for,
// sent, received, lost, duplicated and reordered, and how long sending and receiving took.
#include "bench/udp-load.h"

#include <string_view>

int main(int argc, char** argv) {
  using namespace nsm::bench;
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "receive") return receive_load(Options(argc - 1, argv + 1));
  if (what == "send") return send_load(Options(argc - 1, argv + 1));
  fail("the first argument is receive or send");
}
