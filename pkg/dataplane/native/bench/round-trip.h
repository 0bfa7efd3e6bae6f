// What nsm-round-trip does; see round-trip.cc.
#pragma once

#include "bench/options.h"

namespace nsm::bench {

int serve_echo(const Options& options);
int measure_tcp(const Options& options);
int measure_udp(const Options& options);

}  // namespace nsm::bench
