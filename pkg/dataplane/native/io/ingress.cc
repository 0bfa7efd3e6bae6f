#include "io/ingress.h"

#include <sys/epoll.h>

#include <algorithm>

namespace nsm::io {
namespace {

constexpr std::size_t kCommands = 1024;
constexpr int kTurnBatches = 4;  // of one underlay, before others have their turn

void watch(const Fd& epoll, int fd, void* what) noexcept {
  epoll_event event{EPOLLIN, {.ptr = what}};
  epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

Ingress::Ingress(Counters& engine, Notes& notes)
    : commands_(kCommands),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      parts_{engine, notes, writer_},
      opener_(parts_) {
  watch(epoll_, commands_.fd(), nullptr);
}

void Ingress::run() {
  std::array<epoll_event, 16> events;
  const auto execute_next = [this](IngressCommand&& command) {
    std::visit([this](auto&& part) { execute(std::move(part)); }, std::move(command));
  };
  for (;;) {
    const int ready = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    const std::span<const epoll_event> all(events.data(), static_cast<std::size_t>(std::max(ready, 0)));
    const auto is_command = [](const epoll_event& event) { return event.data.ptr == nullptr; };
    // First: the key that a handshake made must be there before data under it. A
    // command may take away an underlay of this round: the next round knows.
    if (std::any_of(all.begin(), all.end(), is_command)) {
      commands_.serve(execute_next);
      continue;
    }
    std::size_t messages = 0;
    for (const epoll_event& event : all) messages += read(*static_cast<IngressUnderlay*>(event.data.ptr));
    moderation_.rest(messages);
  }
}

std::size_t Ingress::read(IngressUnderlay& underlay) noexcept {
  std::size_t messages = 0;
  for (int turn = 0; turn < kTurnBatches; turn++) {
    const auto batch = receiver_.receive(underlay.fd);
    for (const Received& received : batch) split(underlay, received);
    opener_.flush();
    writer_.flush();
    messages += batch.size();
    if (batch.size() < UdpReceiver::kMessages) break;
  }
  return messages;
}

void Ingress::split(IngressUnderlay& underlay, const Received& received) noexcept {
  if (received.truncated) parts_.engine.rx.add(Rx::truncated);
  for (Bytes rest = received.bytes; !rest.empty();) {
    const Bytes datagram = rest.first(std::min(rest.size(), received.segment_bytes));
    rest = rest.subspan(datagram.size());
    dispatch(underlay, datagram, *received.from);
  }
}

void Ingress::dispatch(IngressUnderlay& underlay, Bytes datagram, const SocketAddress& from) noexcept {
  if (!underlay.mac1) {
    vxlan_.deliver(underlay, datagram, from.endpoint(), parts_);
  } else if (message_type(datagram) == kTransportType) {
    opener_.add(datagram, from);
  } else {
    note_handshake(underlay, datagram, from);
  }
}

void Ingress::note_handshake(const IngressUnderlay& underlay, ConstBytes datagram,
                             const SocketAddress& from) noexcept {
  if (!is_handshake(datagram)) return parts_.engine.rx.add(Rx::malformed);
  if (message_type(datagram) == kInitiationType && !underlay.mac1->passes(datagram)) {
    return parts_.engine.rx.add(Rx::bad_mac1);
  }
  HandshakeNote note{from.endpoint(), static_cast<std::uint8_t>(datagram.size()), {}};
  std::copy(datagram.begin(), datagram.end(), note.bytes.begin());
  if (!parts_.notes.push({underlay.number, note})) parts_.engine.rx.add(Rx::queue_full);
}

void Ingress::execute(ReadUnderlay command) {
  underlays_.push_back(command.underlay);
  if (reading_) watch(epoll_, command.underlay->fd, command.underlay);
}

void Ingress::execute(ForgetUnderlay command) noexcept {
  std::erase(underlays_, command.underlay);
  if (reading_) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, command.underlay->fd, nullptr);
}

void Ingress::execute(UseIngressRules command) noexcept {
  command.port->rules = std::move(command.rules);
  command.port->roaming = command.roaming;
  command.port->path_messages.set(command.path_messages);
}

void Ingress::execute(StartReading) noexcept {
  reading_ = true;
  for (IngressUnderlay* underlay : underlays_) watch(epoll_, underlay->fd, underlay);
}

}  // namespace nsm::io
