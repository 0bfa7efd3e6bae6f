// The programs inside nsm-dataplane. Each gets its own name as argv[0] and returns the
// exit status of the process.
#pragma once

namespace nsm {

int holder_main(int argc, char** argv);
int engine_main(int argc, char** argv);

}  // namespace nsm
