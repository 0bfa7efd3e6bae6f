#include "holder/engine-supervisor.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "protocol/fields.h"

namespace nsm::holder {
namespace {

using namespace protocol;
using namespace std::chrono_literals;

constexpr std::size_t kMaxWaiting = 4096;  // requests
constexpr int kMaxAttempts = 3;            // of a request that kills the engine
constexpr int kMaxBurst = 256;             // messages read before other descriptors are served
constexpr auto kHelloTimeout = 5s;
constexpr std::chrono::milliseconds kAnswerTimeout = 5s;
constexpr auto kQuickDeath = 5s;
// Other wires are delayed by the request that kills the engine: by half a second at most.
constexpr std::chrono::milliseconds kBackoff[] = {0ms, 10ms, 100ms, 400ms};

Status make_state_memory(Fd& memory) {
  memory = Fd(memfd_create("nsm-engine-state", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (memory && ftruncate(memory.get(), kEngineStateBytes) == 0 &&
      fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
    return {};
  }
  return {errno, "cannot create the engine's state memory: " + errno_text(errno)};
}

}  // namespace

EngineSupervisor::EngineSupervisor(EventLoop& loop, const Journal& journal, Counters& counters)
    : loop_(loop), journal_(journal), counters_(counters) {}

Status EngineSupervisor::open(Spawner& spawner, std::function<void()> on_spawner_lost) {
  spawner_ = &spawner;
  if (Status status = make_state_memory(state_memory_); !status.ok()) return status;
  spawner.serve(loop_, {[this](pid_t pid) { on_started(pid); },
                        [this](pid_t pid, const std::string& how) { on_exited(pid, how); },
                        std::move(on_spawner_lost)});
  start();
  return {};
}

void EngineSupervisor::start() {
  int pair[2];
  started_at_ = std::chrono::steady_clock::now();
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return on_exited(0, "cannot be started: " + errno_text(errno));
  }
  socket_ = Fd(pair[0]);
  is_ending_ = false;
  const Fd engines(pair[1]);
  const Status status = spawner_->start(engines.get(), state_memory_.get());
  if (!status.ok()) return on_exited(0, status.text);
  state_ = State::kStarting;
  loop_.watch(socket_.get(), EPOLLIN, [this](std::uint32_t events) { on_ready(events); });
  loop_.after(kHelloTimeout, [this, start = ++starts_] { check_hello(start); });
}

void EngineSupervisor::check_hello(std::uint32_t start) {
  if (start == starts_ && state_ == State::kStarting) kill("it did not send kHello within 5 s");
}

// One timer for all requests, because there may be thousands. The first one is the oldest.
void EngineSupervisor::expect_answers() {
  if (std::exchange(expecting_, true)) return;
  const auto left = in_flight_.begin()->second.sent_at + kAnswerTimeout - std::chrono::steady_clock::now();
  loop_.after(std::max(std::chrono::ceil<std::chrono::milliseconds>(left), 0ms), [this] {
    expecting_ = false;
    if (in_flight_.empty()) return;
    const auto waited = std::chrono::steady_clock::now() - in_flight_.begin()->second.sent_at;
    if (waited >= kAnswerTimeout) return kill("it did not answer within 5 s");
    expect_answers();
  });
}

// Its exit is then reported like any other.
void EngineSupervisor::kill(const char* why) {
  if (std::exchange(is_ending_, true)) return;
  std::fprintf(stderr, "nsm-dataplane: stopping engine %d: %s\n", pid_, why);
  if (pid_ != 0) spawner_->kill_engine(pid_);
}

void EngineSupervisor::on_started(pid_t pid) { pid_ = pid; }

void EngineSupervisor::on_exited(pid_t pid, const std::string& how) {
  if (pid != pid_ && pid != 0) return;
  std::fprintf(stderr, "nsm-dataplane: engine %d ended: %s\n", pid, how.c_str());
  if (socket_) loop_.forget(socket_.get());
  socket_.reset();
  state_ = State::kAway;
  pid_ = 0;
  reclaim_requests();
  if (std::chrono::steady_clock::now() - started_at_ > kQuickDeath) quick_deaths_ = 0;
  loop_.after(kBackoff[std::min(quick_deaths_++, std::size(kBackoff) - 1)], [this] { start(); });
  listener_.on_died(pid, how);
}

// Puts the requests in flight back in front of the waiting ones, except those that keep killing the engine.
void EngineSupervisor::reclaim_requests() {
  outgoing_.clear();
  std::map<std::uint32_t, Request> in_flight;
  in_flight.swap(in_flight_);
  for (auto entry = in_flight.rbegin(); entry != in_flight.rend(); ++entry) {
    Request& request = entry->second;
    if (!request.on_answer) continue;  // part of the replay, which is repeated as a whole
    if (++request.attempts < kMaxAttempts) {
      waiting_.push_front(std::move(request));
      continue;
    }
    Frame frame;
    next_frame(request.message, frame);
    const Bytes bytes = answer(frame, {EIO, "the engine died " + std::to_string(kMaxAttempts) +
                                                " times while it handled this request"});
    Frame refusal;
    next_frame(bytes, refusal);
    request.on_answer(refusal);
  }
}

void EngineSupervisor::on_ready(std::uint32_t events) {
  spawner_->read_reports();  // the engine's pid has to be known before its messages are handled
  if (!socket_) return;
  if (events & EPOLLOUT) flush();
  // The exit of the process and its reason are reported by the spawner; here only the socket ends.
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    for (int count = 0; count < kMaxBurst && socket_ && receive_one(); ++count) {
    }
  }
}

bool EngineSupervisor::receive_one() {
  static Bytes buffer(kMaxMessageBytes);
  const Received got = receive_with_fds(socket_.get(), buffer);
  if (got.size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got.size <= 0) {
    loop_.change(socket_.get(), 0);
    kill("it closed its socket");
    return false;
  }
  Frame frame;
  const View packet = View(buffer).first(got.size);
  if (got.truncated || next_frame(packet, frame) != FrameState::kComplete ||
      frame.bytes.size() != packet.size()) {
    counters_.add(Count::malformed);
    return true;
  }
  on_message(frame);
  return true;
}

void EngineSupervisor::on_message(const Frame& frame) {
  if (frame.type == kHello && state_ == State::kStarting) return on_hello(frame);
  if (frame.sequence == 0) {
    if (frame.type == kEvent) listener_.on_event(frame);
    return;
  }
  const auto found = in_flight_.find(frame.sequence);
  if (found == in_flight_.end()) return counters_.add(Count::malformed);
  if (frame.type != NLMSG_ERROR) {
    if (found->second.on_answer) found->second.on_answer(frame);
    return;
  }
  const Request request = std::move(found->second);
  in_flight_.erase(found);
  if (request.on_answer) return request.on_answer(frame);
  if (!read_answer(frame).ok()) counters_.add(Count::replay_refused);
  if (--replaying_ == 0) serve();
}

void EngineSupervisor::on_hello(const Frame& frame) {
  Fields fields;
  const Status status = fields.parse(frame.attributes, {kVersionAttr, kFeature, kBuild});
  if (!status.ok() || fields.u32(kVersionAttr) != kVersion) {
    counters_.add(Count::malformed);
    return kill("it speaks another protocol version");
  }
  features_.clear();
  fields.each(kFeature, [this](View feature) { features_.emplace_back(text_of(feature)); });
  replay();
}

void EngineSupervisor::replay() {
  state_ = State::kReplaying;
  replaying_ = 1;  // counts this function itself, so that an empty journal is no special case
  journal_.each([this](const Journal::Entry& entry) {
    ++replaying_;
    send({entry.message, entry.fd, nullptr});
  });
  if (--replaying_ == 0) serve();
}

void EngineSupervisor::serve() {
  const Bytes hello = MessageBuilder(kHello, NLM_F_REQUEST, 0).u32(kVersionAttr, kVersion).take();
  if (send_with_fds(socket_.get(), hello, {}) < 0) return kill("it does not read its socket");
  state_ = State::kServing;
  listener_.on_started();
  std::deque<Request> waiting;
  waiting.swap(waiting_);
  for (Request& request : waiting) send(std::move(request));
}

bool EngineSupervisor::submit(Request request) {
  if (waiting_.size() + in_flight_.size() >= kMaxWaiting) {
    counters_.add(Count::requests_overflow);
    return false;
  }
  if (state_ == State::kServing) {
    send(std::move(request));
  } else {
    waiting_.push_back(std::move(request));
  }
  return true;
}

void EngineSupervisor::send(Request request) {
  if (++sequence_ == 0) ++sequence_;
  request.message = with_sequence(request.message, sequence_);
  request.sent_at = std::chrono::steady_clock::now();
  in_flight_.emplace(sequence_, std::move(request));
  expect_answers();
  outgoing_.push_back(sequence_);
  if (outgoing_.size() == 1) flush();
}

void EngineSupervisor::flush() {
  while (!outgoing_.empty()) {
    const Request& request = in_flight_.at(outgoing_.front());
    std::vector<int> fds;
    if (request.fd) fds.push_back(request.fd->get());
    if (send_with_fds(socket_.get(), request.message, fds) < 0)
      break;  // if the engine is dead, the spawner reports it
    outgoing_.pop_front();
  }
  loop_.change(socket_.get(), outgoing_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

}  // namespace nsm::holder
