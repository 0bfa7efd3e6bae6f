// The control thread's objects under test: an engine whose data threads only record their commands,
// and whose holder is the test.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/saved-state.h"
#include "io/clock.h"
#include "io/control/ports.h"
#include "io/control/wireguard-port.h"
#include "test/core/check.h"
#include "test/core/seeded-random.h"

namespace nsm::test {

using protocol::Fields;
using protocol::MessageBuilder;

// The attributes of a message from the holder.
class Attributes {
 public:
  explicit Attributes(const MessageBuilder& message) : bytes_(MessageBuilder(message).take()) {}
  operator protocol::View() const { return protocol::View(bytes_).subspan(16); }

 private:
  protocol::Bytes bytes_;
};
// A reply as the holder parses it.
struct Reply {
  explicit Reply(const MessageBuilder& message) : attributes(message) {
    CHECK(fields.parse_any(attributes).ok());
  }
  Reply(const Reply&) = delete;
  const Attributes attributes;
  Fields fields;  // views of `attributes`
};
inline MessageBuilder attributes() { return MessageBuilder(protocol::kPortSet, 0, 0); }

// Serves both channels in the test's thread, and records a line of text for each command.
class IdleThreads {
 public:
  IdleThreads() : thread_([this] { run(); }) {}
  ~IdleThreads() {
    ended_.ring();
    thread_.join();
  }
  io::DataThreads channels() { return {egress_, ingress_}; }

  // The commands since the last call.
  std::vector<std::string> take() {
    channels().settle();
    const std::lock_guard lock(mutex_);
    return std::exchange(commands_, {});
  }
  // The probe messages among them.
  std::vector<io::SendProbeMessage> take_probe_messages() {
    channels().settle();
    const std::lock_guard lock(mutex_);
    return std::exchange(probe_messages_, {});
  }

 private:
  void run() {
    pollfd ready[] = {{egress_.fd(), POLLIN, 0}, {ingress_.fd(), POLLIN, 0}, {ended_.fd(), POLLIN, 0}};
    while (poll(ready, 3, -1) > 0 && ready[2].revents == 0) {
      const auto keep = [this](const auto& command) {
        std::visit([this](const auto& which) { note(which); }, command);
      };
      egress_.serve(keep);
      ingress_.serve(keep);
    }
  }
  void note(std::monostate) {}
  void note(const io::JoinEgress& c) { add(c.port ? "egress joined" : "egress separated"); }
  void note(const io::JoinIngress& c) { add(c.device ? "ingress joined" : "ingress separated"); }
  void note(const io::UseSendKey& c) { add(c.key ? "sending key" : "no sending key"); }
  void note(const io::UseReceiveKey&) { add("receive key"); }
  void note(const io::DropReceiveKey&) { add("no receive key"); }
  void note(const io::ReadSocket&) { add("socket read"); }
  void note(const io::ForgetSocket&) { add("socket forgotten"); }
  void note(const io::ForgetDevice&) { add("device forgotten"); }
  void note(const io::AddPort&) { add("port added"); }
  void note(const io::RemovePort&) { add("port removed"); }
  void note(const io::SendProbeMessage& c) {
    const std::lock_guard lock(mutex_);
    probe_messages_.push_back(c);
  }
  template <typename Other>
  void note(const Other&) {}
  void add(const char* text) {
    const std::lock_guard lock(mutex_);
    commands_.emplace_back(text);
  }

  io::Channel<io::EgressCommand> egress_{64};
  io::Channel<io::IngressCommand> ingress_{64};
  io::Doorbell ended_;
  std::mutex mutex_;
  std::vector<std::string> commands_;
  std::vector<io::SendProbeMessage> probe_messages_;
  std::thread thread_;
};

// The engine's control side with all its objects.
class Lab {
 public:
  explicit Lab(std::uint64_t seed = 1) : random_(seed), memory_(1024) {
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair_) == 0);
    holder_.emplace(io::Fd(pair_[0]));
    engines_ = io::Fd(pair_[1]);
    const io::WireguardNode::Parts node{suite_, random_, indexes_, opener_, threads.channels(), *holder_};
    underlays.emplace(io::Underlay::Parts{node, waiting_ports, offloads_, stages_});
    ports.emplace(*underlays, state_, io::DevicePort::Parts{threads.channels(), offloads_});
  }

  // The attributes of each event that was sent to the holder since the last call.
  std::vector<protocol::Bytes> events() {
    std::vector<protocol::Bytes> all;
    protocol::Bytes buffer(protocol::kMaxMessageBytes);
    for (ssize_t size; (size = recv(engines_.get(), buffer.data(), buffer.size(), 0)) > 0;)
      all.emplace_back(buffer.begin() + 16, buffer.begin() + size);
    return all;
  }

  IdleThreads threads;
  io::Doorbell bell;
  io::Notes notes{bell};
  io::WaitingPorts waiting_ports{bell};
  Counters engine;

 private:
  struct alignas(4096) Page {
    std::array<std::uint8_t, 4096> bytes = {};
  };

  SeededRandom random_;
  AeadSuite suite_;
  ReceiverIndexes indexes_{random_};
  FlowJoiner joiner_;
  IngressParts stages_{engine, notes, joiner_};
  Opener opener_{stages_};
  io::Offloads offloads_{};
  std::vector<Page> memory_;
  SavedState state_{{memory_.data()->bytes.data(), memory_.size() * sizeof(Page)}};
  int pair_[2];
  std::optional<io::HolderSocket> holder_;
  io::Fd engines_;

 public:  // declared last, because their destructors still post commands
  std::optional<io::Underlays> underlays;
  std::optional<io::Ports> ports;
};

// A UDP socket on a free port of 127.0.0.1.
inline io::Fd udp_socket() {
  io::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const io::Sockaddr address(address4(0x7f000001, 0));
  CHECK(bind(socket.get(), &address.any, address.size()) == 0);
  return socket;
}
inline SocketAddress bound_address(const io::Fd& socket) {
  io::Sockaddr address;
  socklen_t length = sizeof address;
  getsockname(socket.get(), &address.any, &length);
  return address.socket_address();
}

}  // namespace nsm::test
