// nsm-dataplane hold: composition. The order matters: what needs root comes before
// keep_holder_privileges, and no one is served before that.
#include <errno.h>
#include <linux/netlink.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>

#include "holder/dialer.h"
#include "holder/listener.h"
#include "holder/options.h"
#include "holder/privileges.h"
#include "holder/requests.h"
#include "holder/source-checks.h"
#include "programs.h"

namespace nsm {
namespace holder {
namespace {

using namespace protocol;

class Holder {
 public:
  explicit Holder(const Options& options) : options_(options) {}

  Status open(Spawner& spawner);
  int run() { return loop_.run(); }

  ~Holder() {
    for (const std::string& path : socket_paths_) unlink(path.c_str());
  }

 private:
  Status listen(const SocketFile& file, Fd& socket);
  Status open_sockets();
  void describe(bool is_memory_locked);
  void serve_clients();
  void stop_on_signals();
  void report_engine();
  void broadcast_engine(EventKind kind, pid_t pid, const std::string& text);

  Options options_;
  EventLoop loop_;
  Counters counters_;
  Namespaces namespaces_;
  Journal journal_;
  TunOffloads offloads_;
  std::vector<std::string> features_;
  std::vector<std::string> socket_paths_;
  Fd signals_, control_socket_, dial_socket_;
  std::vector<Fd> listen_sockets_;

  EngineSupervisor engine_{loop_, journal_, counters_};
  Objects objects_{{namespaces_, engine_, journal_, counters_, offloads_, options_.allow_own_namespace}};
  ControlServer control_{loop_, counters_, options_.daemon_uid};
  Attestor attestor_{options_.kubelet_cgroup};
  Sessions sessions_{loop_, attestor_, namespaces_, counters_};
  Occupancy occupancy_{loop_, namespaces_, sessions_};
  Requests requests_{
      {loop_, namespaces_, engine_, objects_, occupancy_, counters_, features_, options_.kubelet_cgroup}};
  Listener listener_{loop_, sessions_, counters_, options_};
  Dialer dialer_{loop_, sessions_, counters_, options_};
};

Status Holder::open(Spawner& spawner) {
  Status status = open_sockets();
  if (status.ok()) status = namespaces_.open_own();
  if (status.ok()) status = attestor_.open();
  if (!status.ok()) return status;
  describe(protect_memory());
  if (status = keep_holder_privileges(options_.daemon_uid); !status.ok()) return status;
  stop_on_signals();
  report_engine();
  status = engine_.open(spawner, [this] {
    std::fputs("nsm-dataplane: the spawner ended; without it no engine can be started, so the holder stops\n",
               stderr);
    loop_.stop(1);
  });
  if (status.ok()) serve_clients();
  return status;
}

Status Holder::listen(const SocketFile& file, Fd& socket) {
  Status status = listen_unix(file, socket);
  if (status.ok()) socket_paths_.push_back(file.path);
  return status;
}

Status Holder::open_sockets() {
  Status status = listen({options_.control, 0600, options_.daemon_uid}, control_socket_);
  if (status.ok() && !options_.dial.empty()) {
    status = listen({options_.dial, 0600, options_.daemon_uid}, dial_socket_);
  }
  for (const ListenSocket& socket : options_.listen) {
    if (!status.ok()) break;
    const mode_t mode = socket.clients == Clients::kEveryone ? 0666 : 0600;
    status = listen({socket.path, mode, 0}, listen_sockets_.emplace_back());
  }
  return status;
}

void Holder::describe(bool is_memory_locked) {
  offloads_ = probe_tun_offloads(namespaces_, options_.offloads);
  features_ = {std::string("tun_tso=") + (offloads_.tso ? "on" : "off"),
               std::string("tun_uso=") + (offloads_.uso ? "on" : "off"),
               std::string("memory_locked=") + (is_memory_locked ? "on" : "off"),
               std::string("ipv6_source_checks=") + (can_check_sources(namespaces_) ? "on" : "off")};
}

void Holder::serve_clients() {
  sessions_.on_closed = [this](std::uint64_t id, const std::vector<NamespaceId>& left) {
    MessageBuilder event(kEvent, 0, 0);
    control_.broadcast(event.u8(kEventKind, kClientGone).u64(kConnection, id).take());
    for (const NamespaceId& each : left) occupancy_.changed(each);
  };
  occupancy_.on_empty = [this](NamespaceId id) { control_.broadcast(namespace_empty(id)); };
  control_.serve(std::move(control_socket_), [this](const ConnectionRef& connection, const Frame& request) {
    requests_.handle(connection, request);
  });
  if (dial_socket_) dialer_.serve(std::move(dial_socket_));
  for (std::size_t i = 0; i < listen_sockets_.size(); ++i) {
    listener_.serve(options_.listen[i], std::move(listen_sockets_[i]));
  }
}

void Holder::stop_on_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) { loop_.stop(0); });
}

void Holder::report_engine() {
  engine_.listen({[this](const Frame& event) { control_.broadcast(event.bytes); },
                  [this] { broadcast_engine(kEngineStarted, engine_.pid(), ""); },
                  [this](pid_t pid, const std::string& how) { broadcast_engine(kEngineDied, pid, how); }});
}

void Holder::broadcast_engine(EventKind kind, pid_t pid, const std::string& text) {
  MessageBuilder event(kEvent, 0, 0);
  event.u8(kEventKind, kind).u32(kEnginePid, pid).u32(kEngineRestarts, engine_.restarts());
  if (!text.empty()) event.text(kText, text);
  control_.broadcast(event.take());
}

int fail(const std::string& text) {
  std::fprintf(stderr, "nsm-dataplane: %s\n", text.c_str());
  return 1;
}

}  // namespace
}  // namespace holder

int holder_main(int argc, char** argv) {
  using namespace holder;
  Options options;
  if (const std::vector<std::string> wrong = parse_options(argc, argv, options); !wrong.empty()) {
    for (const std::string& text : wrong) fail(text);
    return 2;
  }
  if (options.help) return std::fputs(help_text().c_str(), stdout) < 0;
  if (geteuid() != 0) return fail("hold must be started as root; it keeps only three capabilities");
  set_limits();
  Spawner spawner;
  if (const Status status = Spawner::launch({options.engine_uid, options.offloads}, spawner); !status.ok())
    return fail(status.text);
  Holder holder(options);
  if (const Status status = holder.open(spawner); !status.ok()) return fail(status.text);
  return holder.run();
}

}  // namespace nsm
