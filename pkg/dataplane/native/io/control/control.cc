#include "io/control/control.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>

#include "io/clock.h"

namespace nsm::io {
namespace {

constexpr int kRequestBudget = 64;  // before handshakes and timers are served

timespec as_timespec(std::uint64_t ns) noexcept {
  return {static_cast<time_t>(ns / kNsPerSecond), static_cast<long>(ns % kNsPerSecond)};
}

}  // namespace

Control::Control(const Parts& parts)
    : parts_(parts),
      underlays_(parts.underlays),
      ports_(underlays_, parts.state, {parts.underlays.node.threads, parts.underlays.offloads}),
      requests_({underlays_, ports_, parts.engine, parts.underlays.node.threads}),
      timer_(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  watch(parts.holder.fd());
  watch(parts.bell.fd());
  watch(timer_.get());
}

void Control::watch(int fd) noexcept {
  epoll_event event{EPOLLIN, {.fd = fd}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void Control::greet(const std::vector<std::string>& features) {
  protocol::MessageBuilder hello(protocol::kHello, 0, 0);
  hello.u32(protocol::kVersionAttr, protocol::kVersion);
  for (const std::string& feature : features) hello.text(protocol::kFeature, feature);
  parts_.holder.send(std::move(hello).take());
}

void Control::run() {
  std::array<epoll_event, 4> events;
  for (;;) {
    epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    parts_.bell.answer();
    if (!serve_holder()) return;
    const Now time = now();
    serve_notes(time);
    serve_waiting_ports(time);
    tick(time);
  }
}

void Control::serve_notes(Now now) {
  if (parts_.notes.size() >= Notes::kCapacity / 8) {
    underlays_.each_node([&](WireguardNode& node) { node.machine().under_load(now); });
  }
  Note note;
  // At most one queue full, so that a flood cannot starve timers and requests.
  for (std::size_t i = 0; i < Notes::kCapacity && parts_.notes.pop(note); i++) {
    Underlay* const underlay = underlays_.find(note.underlay);
    if (underlay && underlay->node()) underlay->node()->on_note(note, now);
  }
  if (parts_.notes.size() > 0) parts_.bell.ring();
}

void Control::serve_waiting_ports(Now now) {
  parts_.waiting_ports.take(
      [&](std::uint64_t tag) {
        underlays_.each_node([&](WireguardNode& node) { node.want_session(tag, now); });
      },
      [&] { underlays_.each_node([&](WireguardNode& node) { node.want_all_sessions(now); }); });
}

void Control::tick(Now now) {
  std::uint64_t next = UINT64_MAX;
  underlays_.each_node([&](WireguardNode& node) { next = std::min(next, node.tick(now)); });
  itimerspec when{};
  if (next != UINT64_MAX) when.it_value = as_timespec(std::max(next, now.boot_ns + 1));
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

// False: the holder is gone.
bool Control::serve_holder() {
  HolderMessage message;
  for (int i = 0; i < kRequestBudget; i++) {
    switch (parts_.holder.receive(message)) {
      case HolderSocket::Received::kNothing:
        return true;
      case HolderSocket::Received::kClosed:
        return false;
      case HolderSocket::Received::kMessage:
        requests_.serve(message, parts_.holder);
    }
  }
  return true;
}

}  // namespace nsm::io
