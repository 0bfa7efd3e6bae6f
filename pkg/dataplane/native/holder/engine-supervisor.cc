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
constexpr int kMaxAttempts = 3;            // of one request that the engine dies of
constexpr int kMaxBurst = 256;             // messages taken before others have their turn
constexpr auto kHelloTimeout = 5s;
constexpr std::chrono::milliseconds kAnswerTimeout = 5s;
constexpr auto kQuickDeath = 5s;
// Other wires wait with the one that kills it: at most about half a second.
constexpr std::chrono::milliseconds kBackoff[] = {0ms, 10ms, 100ms, 400ms};

Status make_state_memory(Fd& memory) {
  memory = Fd(memfd_create("nsm-engine-state", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (memory && ftruncate(memory.get(), kEngineStateBytes) == 0 &&
      fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
    return {};
  }
  return {errno, "cannot make the engine's state memory: " + errno_text(errno)};
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
  if (start == starts_ && state_ == State::kStarting) kill("it did not say hello within 5 s");
}

// One timer for all requests, because thousands may follow each other; the first is the oldest.
void EngineSupervisor::expect_answers() {
  if (std::exchange(expecting_, true)) return;
  const auto left = under_way_.begin()->second.sent_at + kAnswerTimeout - std::chrono::steady_clock::now();
  loop_.after(std::max(std::chrono::ceil<std::chrono::milliseconds>(left), 0ms), [this] {
    expecting_ = false;
    if (under_way_.empty()) return;
    const auto waited = std::chrono::steady_clock::now() - under_way_.begin()->second.sent_at;
    if (waited >= kAnswerTimeout) return kill("it did not answer within 5 s");
    expect_answers();
  });
}

// Its end is then told like any other.
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

// Puts what was under way in front of what waits, but for what the engine died of again and again.
void EngineSupervisor::reclaim_requests() {
  outgoing_.clear();
  std::map<std::uint32_t, Request> under_way;
  under_way.swap(under_way_);
  for (auto entry = under_way.rbegin(); entry != under_way.rend(); ++entry) {
    Request& request = entry->second;
    if (!request.on_answer) continue;  // of the replay, which will be repeated as a whole
    if (++request.attempts < kMaxAttempts) {
      waiting_.push_front(std::move(request));
      continue;
    }
    Frame frame;
    next_frame(request.message, frame);
    const Bytes bytes =
        answer(frame, {EIO, "the engine died " + std::to_string(kMaxAttempts) + " times of this"});
    Frame refusal;
    next_frame(bytes, refusal);
    request.on_answer(refusal);
  }
}

void EngineSupervisor::on_ready(std::uint32_t events) {
  spawner_->read_reports();  // who it is comes before what it says
  if (!socket_) return;
  if (events & EPOLLOUT) flush();
  // The end of the process, with its reason, comes from the spawner: here the socket is only let go.
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
  const auto found = under_way_.find(frame.sequence);
  if (found == under_way_.end()) return counters_.add(Count::malformed);
  if (frame.type != NLMSG_ERROR) {
    if (found->second.on_answer) found->second.on_answer(frame);
    return;
  }
  const Request request = std::move(found->second);
  under_way_.erase(found);
  if (request.on_answer) return request.on_answer(frame);
  if (!read_answer(frame).ok()) counters_.add(Count::replay_refused);
  if (--replaying_ == 0) serve();
}

void EngineSupervisor::on_hello(const Frame& frame) {
  Fields fields;
  const Status status = fields.parse(frame.attributes, {kVersionAttr, kFeature, kBuild});
  if (!status.ok() || fields.u32(kVersionAttr) != kVersion) {
    counters_.add(Count::malformed);
    return kill("it speaks another version of the protocol");
  }
  features_.clear();
  fields.each(kFeature, [this](View feature) { features_.emplace_back(text_of(feature)); });
  replay();
}

void EngineSupervisor::replay() {
  state_ = State::kReplaying;
  replaying_ = 1;  // this function's own, so that an empty journal needs no other case
  journal_.each([this](const Journal::Entry& entry) {
    ++replaying_;
    send({entry.message, entry.fd, nullptr});
  });
  if (--replaying_ == 0) serve();
}

void EngineSupervisor::serve() {
  const Bytes hello = MessageBuilder(kHello, NLM_F_REQUEST, 0).u32(kVersionAttr, kVersion).take();
  if (send_with_fds(socket_.get(), hello, {}) < 0) return kill("it does not read");
  state_ = State::kServing;
  listener_.on_started();
  std::deque<Request> waiting;
  waiting.swap(waiting_);
  for (Request& request : waiting) send(std::move(request));
}

bool EngineSupervisor::put(Request request) {
  if (waiting_.size() + under_way_.size() >= kMaxWaiting) {
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
  under_way_.emplace(sequence_, std::move(request));
  expect_answers();
  outgoing_.push_back(sequence_);
  if (outgoing_.size() == 1) flush();
}

void EngineSupervisor::flush() {
  while (!outgoing_.empty()) {
    const Request& request = under_way_.at(outgoing_.front());
    std::vector<int> fds;
    if (request.fd) fds.push_back(request.fd->get());
    if (send_with_fds(socket_.get(), request.message, fds) < 0)
      break;  // a dead engine is told by the spawner
    outgoing_.pop_front();
  }
  loop_.change(socket_.get(), outgoing_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

}  // namespace nsm::holder
