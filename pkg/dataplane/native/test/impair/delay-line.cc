#include "delay-line.h"

#include <algorithm>
#include <utility>

namespace nsm::impair {
namespace {

// std::priority_queue::top() is const, but the element is popped right away, so it may be moved.
template <typename Queue>
auto pop(Queue& queue) {
  auto top = std::move(const_cast<typename Queue::value_type&>(queue.top()));
  queue.pop();
  return top;
}

}  // namespace

void DelayLine::pass(std::uint64_t now_ns) {
  passed_++;
  last_pass_ns_ = now_ns;
  while (!held_.empty() && held_.top().until_pass <= passed_) release(now_ns);
}

void DelayLine::release(std::uint64_t now_ns) {
  Waiting datagram = pop(held_).datagram;
  datagram.due_ns = std::max(datagram.due_ns, now_ns);
  datagram.number = ++count_;
  waiting_.push(std::move(datagram));
}

bool DelayLine::put(Waiting&& datagram, std::uint64_t held_for) {
  if (bytes_ + datagram.bytes.size() > kMaxBytes) return false;
  bytes_ += datagram.bytes.size();
  datagram.number = ++count_;
  if (held_for == 0)
    waiting_.push(std::move(datagram));
  else
    held_.push({passed_ + 1 + held_for, std::move(datagram)});  // + 1 for the call that counts itself
  return true;
}

std::uint64_t DelayLine::next_ns() const noexcept {
  const std::uint64_t waiting = waiting_.empty() ? UINT64_MAX : waiting_.top().due_ns;
  return held_.empty() ? waiting : std::min(waiting, last_pass_ns_ + kMaxHeldNs);
}

bool DelayLine::take(std::uint64_t now_ns, Waiting& datagram) {
  if (now_ns >= last_pass_ns_ + kMaxHeldNs)
    while (!held_.empty()) release(now_ns);
  if (waiting_.empty() || waiting_.top().due_ns > now_ns) return false;
  datagram = pop(waiting_);
  bytes_ -= datagram.bytes.size();
  return true;
}

}  // namespace nsm::impair
