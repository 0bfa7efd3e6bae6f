// nsm-dataplane engine: opens all that it will ever need, enters the sandbox, serves.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>

#include <cstdio>
#include <latch>
#include <thread>

#include "io/control/control.h"
#include "io/features.h"
#include "io/priority.h"
#include "io/sandbox.h"
#include "programs.h"

namespace nsm {
namespace io {
namespace {

class KernelRandom final : public Random {
 public:
  void fill(Bytes out) noexcept override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

int refuse(const std::string& why) {
  std::fprintf(stderr,
               "nsm-dataplane engine: cannot start: %s; the engine is started by nsm-dataplane hold\n",
               why.c_str());
  return 1;
}

Bytes map_state() noexcept {
  void* memory = mmap(nullptr, protocol::kEngineStateBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                      protocol::kEngineStateFd, 0);
  if (memory == MAP_FAILED) return {};
  close(protocol::kEngineStateFd);
  return {static_cast<std::uint8_t*>(memory), protocol::kEngineStateBytes};
}

struct Start {
  const char* name;
  bool priority;
  std::latch& done;
};

template <typename DataThread>
void start(DataThread& thread, const Start& how) {
  std::thread([&thread, name = how.name, priority = how.priority, &started = how.done] {
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_TIMERSLACK, 1);  // ns, so that short sleeps are as short as asked for
    if (priority) shorten_time_slice();
    started.count_down();
    thread.run();
  }).detach();
}

// libcrypto initializes itself on first use, from files that the sandbox does not let it open.
void warm_up(const AeadSuite& suite, Random& random) {
  SecretKey key;
  random.fill(key);
  std::array<std::uint8_t, 64> text{};
  for (const auto& implementation : suite.implementations()) {
    for (const auto algorithm : {AeadAlgorithm::kChaCha20Poly1305, AeadAlgorithm::kAes256Gcm}) {
      AeadJob job{text.data(), 16, 0, false};
      if (const auto made = implementation->make_key(algorithm, key)) made->seal({&job, 1});
    }
  }
}

int serve(Bytes state_memory, const OffloadSet& wanted) {
  KernelRandom random;
  const AeadSuite suite(wanted.has(Offload::ipsec_mb));
  const Offloads offloads = probe_offloads(wanted);
  SavedState state(state_memory);
  HolderSocket holder{Fd(protocol::kEngineSocketFd)};
  Doorbell bell;
  Notes notes(bell);
  WaitingPorts waiting_ports(bell);
  Counters counters;
  Egress egress(offloads.udp_gso);
  FlowJoiner joiner;
  const IngressParts stages{counters, notes, joiner};
  Opener opener(stages);
  Ingress ingress(stages);
  ReceiverIndexes indexes(random);
  const DataThreads threads{egress.commands(), ingress.commands()};
  const WireguardNode::Parts node{suite, random, indexes, opener, threads, holder};
  Control control(
      {holder, {node, waiting_ports, offloads, stages}, state, notes, waiting_ports, bell, counters});
  warm_up(suite, random);
  std::latch started(2);
  start(egress, {"nsm-tx", offloads.priority, started});
  start(ingress, {"nsm-rx", offloads.priority, started});
  started.wait();
  if (offloads.priority) renounce_priority();
  prctl(PR_SET_NAME, "nsm-ctl");
  if (!enter_sandbox()) return refuse("the kernel refuses the seccomp filter");
  control.greet(describe_features(offloads, suite));
  control.run();
  _exit(0);  // the data threads still use objects on this stack
}

// False: there are other arguments than --without with known names.
bool read_arguments(int argc, char** argv, OffloadSet& wanted) {
  for (int i = 1; i < argc; i += 2) {
    const bool known = std::string_view(argv[i]) == "--without" && i + 1 < argc && wanted.remove(argv[i + 1]);
    if (!known) return false;
  }
  return true;
}

}  // namespace
}  // namespace io

int engine_main(int argc, char** argv) {
  protocol::OffloadSet wanted;
  if (!io::read_arguments(argc, argv, wanted)) return io::refuse("the only arguments are --without NAME");
  if (const std::string excess = io::excess_privilege(); !excess.empty()) return io::refuse(excess);
  if (!io::renounce_privilege()) return io::refuse("it cannot drop its privileges");
  if (fcntl(protocol::kEngineSocketFd, F_GETFD) < 0) return io::refuse("it has no socket to the holder");
  const Bytes state = io::map_state();
  if (state.empty()) return io::refuse("it has no memory for its state");
  return io::serve(state, wanted);
}

}  // namespace nsm
