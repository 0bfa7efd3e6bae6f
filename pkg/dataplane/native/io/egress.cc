#include "io/egress.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "io/clock.h"

namespace nsm::io {
namespace {

constexpr std::size_t kCommands = 1024;
constexpr std::size_t kPacketBudget = 64;   // of one device before the others are served
constexpr std::size_t kRingPackets = 8192;  // more than a device's queue holds

}  // namespace

void EgressDevice::send_back(ConstBytes error) noexcept {
  [[maybe_unused]] const ssize_t written = write(fd, error.data(), error.size());
}

Egress::Egress(bool udp_gso) : commands_(kCommands), epoll_(epoll_create1(EPOLL_CLOEXEC)), sender_(udp_gso) {
  epoll_event commands{EPOLLIN, {.ptr = nullptr}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, commands_.fd(), &commands);
}

void Egress::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    bool has_commands = false;
    std::size_t packets = 0;
    for (int i = 0; i < count; i++) {
      if (auto* device = static_cast<EgressDevice*>(events[i].data.ptr)) {
        packets += pump(*device);
      } else {
        has_commands = true;
      }
    }
    // After the packets, because a command may remove a device of this round.
    if (has_commands) {
      commands_.serve([this](EgressCommand&& command) {
        std::visit([this](auto&& part) { execute(std::forward<decltype(part)>(part)); }, std::move(command));
      });
    }
    moderation_.coalesce(packets);
  }
}

std::size_t Egress::pump(EgressDevice& device) noexcept {
  if (!device.port) {
    const std::size_t dropped = drain(device);
    device.counters.rx.add(Rx::no_wire, dropped);
    return dropped;
  }
  const std::uint64_t now_ns = boot_ns();
  if (!device.port->ready(now_ns)) {
    listen(device, false);
    device.port->packets_waiting();
    return 0;
  }
  const EgressParts parts{batch_, sender_, fragmenter_};
  TunPacket packet;
  std::size_t count = 0;
  for (; count < kPacketBudget && device.port->ready(now_ns) && read(device, packet); count++) {
    device.port->take(packet, parts);
  }
  device.port->flush(parts);
  return count;
}

std::size_t Egress::drain(EgressDevice& device) noexcept {
  TunPacket packet;
  std::size_t count = 0;
  while (count < kRingPackets && read(device, packet)) count++;
  return count;
}

// False: there is nothing (more) to read.
bool Egress::read(EgressDevice& device, TunPacket& packet) noexcept {
  for (;;) {
    switch (reader_.read(device.fd, packet)) {
      case TunReader::Result::kPacket:
        device.counters.rx.add(Rx::packets);
        device.counters.rx.add(Rx::bytes, packet.bytes.size());
        return true;
      case TunReader::Result::kMalformed:
        device.counters.rx.add(Rx::malformed);
        continue;
      case TunReader::Result::kGone:  // the device was deleted: epoll would report it forever
        listen(device, false);
        return false;
      case TunReader::Result::kNothing:
        return false;
    }
  }
}

void Egress::listen(EgressDevice& device, bool on) noexcept {
  if (device.listening == on) return;
  device.listening = on;
  epoll_event event{EPOLLIN, {.ptr = &device}};
  epoll_ctl(epoll_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, device.fd, &event);
}

void Egress::execute(JoinEgress command) noexcept {
  if (command.device->port) command.device->port->device = nullptr;
  command.device->port = command.port;
  if (command.port) command.port->device = command.device;
  listen(*command.device, true);
}

void Egress::execute(ForgetDevice command) noexcept {
  if (command.device->port) command.device->port->device = nullptr;
  command.device->port = nullptr;
  listen(*command.device, false);
}

void Egress::execute(UseSendKey command) noexcept {
  command.port->use_key(std::move(command.key));
  if (command.port->device) listen(*command.port->device, true);
}

void Egress::execute(ResumeEgress command) noexcept {
  command.port->resume();
  if (command.port->device) listen(*command.port->device, true);
}

void Egress::execute(SendKeepalive command) noexcept {
  const std::uint64_t sealed = command.port->sealed();
  if (command.port->device) pump(*command.port->device);
  if (command.port->sealed() == sealed && command.port->ready(boot_ns())) {
    command.port->send_keepalive({batch_, sender_, fragmenter_});
  }
}

void Egress::execute(DropWaiting command) noexcept {
  if (!command.port->device) return;
  command.port->drop_waiting(drain(*command.port->device));
  listen(*command.port->device, true);
}

}  // namespace nsm::io
