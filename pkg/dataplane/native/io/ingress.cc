#include "io/ingress.h"

#include <sys/epoll.h>

#include <algorithm>

#include "io/clock.h"

namespace nsm::io {
namespace {

constexpr std::size_t kCommands = 1024;
constexpr int kBatchBudget = 4;  // of one underlay before the others are served

void watch(const Fd& epoll, int fd, void* what) noexcept {
  epoll_event event{EPOLLIN, {.ptr = what}};
  epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

Ingress::Ingress(const IngressParts& parts)
    : commands_(kCommands), epoll_(epoll_create1(EPOLL_CLOEXEC)), parts_(parts) {
  watch(epoll_, commands_.fd(), nullptr);
}

void Ingress::run() {
  std::array<epoll_event, 16> events;
  const auto execute_next = [this](IngressCommand&& command) {
    std::visit([this](auto&& part) { execute(std::forward<decltype(part)>(part)); }, std::move(command));
  };
  for (;;) {
    const int ready = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    const std::span<const epoll_event> all(events.data(), static_cast<std::size_t>(std::max(ready, 0)));
    const auto is_command = [](const epoll_event& event) { return event.data.ptr == nullptr; };
    // Commands come before datagrams: a session's key has to be installed before its
    // data is opened. A command may remove a socket of this round, so poll again.
    if (std::any_of(all.begin(), all.end(), is_command)) {
      commands_.serve(execute_next);
      continue;
    }
    std::size_t messages = 0;
    for (const epoll_event& event : all) messages += read(*static_cast<const IngressSocket*>(event.data.ptr));
    moderation_.coalesce(messages);
  }
}

std::size_t Ingress::read(const IngressSocket& socket) noexcept {
  std::size_t messages = 0;
  for (int turn = 0; turn < kBatchBudget; turn++) {
    const auto batch = receiver_.receive(socket.fd);
    const std::uint64_t now_ns = boot_ns();
    for (const Received& received : batch) dispatch(*socket.underlay, received, now_ns);
    socket.underlay->flush(now_ns);
    parts_.joiner.flush();
    messages += batch.size();
    if (batch.size() < UdpReceiver::kMessages) break;
  }
  return messages;
}

// Splits what UDP_GRO has joined.
void Ingress::dispatch(IngressUnderlay& underlay, const Received& received, std::uint64_t now_ns) noexcept {
  if (received.truncated) parts_.engine.rx.add(Rx::truncated);
  for (Bytes rest = received.bytes; !rest.empty();) {
    const Bytes datagram = rest.first(std::min(rest.size(), received.segment_bytes));
    rest = rest.subspan(datagram.size());
    underlay.take(datagram, {received.from, now_ns});
  }
}

void Ingress::execute(ReadSocket command) {
  sockets_.push_back(command.socket);
  if (reading_) watch(epoll_, command.socket->fd, command.socket);
}

void Ingress::execute(ForgetSocket command) noexcept {
  std::erase(sockets_, command.socket);
  if (reading_) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, command.socket->fd, nullptr);
}

void Ingress::execute(UseIngressRules command) noexcept {
  command.port->rules = std::move(command.rules);
  command.port->roaming = command.roaming;
  command.port->probe_messages.set(command.probe_messages);
}

void Ingress::execute(StartReading) noexcept {
  reading_ = true;
  for (IngressSocket* socket : sockets_) watch(epoll_, socket->fd, socket);
}

}  // namespace nsm::io
