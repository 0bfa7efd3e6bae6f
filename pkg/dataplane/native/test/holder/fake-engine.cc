// A fake engine that carries no packets. It records the messages of the holder, so that tests can
// check the replay after a restart. The real engine is in io/.
#include <linux/netlink.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>

#include "programs.h"
#include "protocol/fields.h"

namespace nsm {
namespace {

using namespace protocol;

void send(const Bytes& message) {
  if (write(kEngineSocketFd, message.data(), message.size()) < 0) std::_Exit(1);
}

// Receives one message; returns the number of descriptors with it, or -1 at the end.
int receive(Bytes& bytes) {
  bytes.resize(kMaxMessageBytes);
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
  iovec vector{bytes.data(), bytes.size()};
  msghdr header{nullptr, 0, &vector, 1, control, sizeof control, 0};
  const ssize_t size = recvmsg(kEngineSocketFd, &header, 0);
  if (size <= 0) return -1;
  bytes.resize(size);
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (rights == nullptr) return 0;
  const int count = static_cast<int>((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  for (int i = 0; i < count; ++i) close(reinterpret_cast<const int*>(CMSG_DATA(rights))[i]);
  return count;
}

struct Object {
  std::uint64_t order;
  std::uint64_t descriptors;
  Bytes message;
};

class FakeEngine {
 public:
  explicit FakeEngine(std::uint64_t starts) : starts_(starts) {}

  void run() {
    send(MessageBuilder(kHello, NLM_F_REQUEST, 0)
             .u32(kVersionAttr, kVersion)
             .text(kFeature, "fake=on")
             .take());
    Bytes bytes;
    for (int descriptors; (descriptors = receive(bytes)) >= 0;) {
      Frame frame;
      if (next_frame(bytes, frame) != FrameState::kComplete) std::abort();
      if (frame.type != kHello) handle(frame, descriptors);
    }
  }

 private:
  void handle(const Frame& frame, int descriptors) {
    Fields fields;
    if (!fields.parse_any(frame.attributes).ok()) std::abort();
    const std::string id(fields.text(kId));
    if (id == "refused") return send(answer(frame, {EINVAL, "this id is refused"}));
    if (frame.type == kRehandshake && id == "poison") std::raise(SIGKILL);
    if (frame.type == kRehandshake && id == "poison-once" && starts_ == 1) std::raise(SIGKILL);
    if (frame.type == kUnderlaySet || frame.type == kPortSet || frame.type == kCrossConnectSet) {
      objects_[id] = {++order_, static_cast<std::uint64_t>(descriptors),
                      Bytes(frame.bytes.begin(), frame.bytes.end())};
    } else if (frame.type == kPortDel || frame.type == kUnderlayDel || frame.type == kCrossConnectDel) {
      objects_.erase(id);
    } else if (frame.type == kPortGet) {
      for (const auto& [key, object] : objects_) send(with_sequence(object.message, frame.sequence));
    } else if (frame.type == kCountersGet) {
      send_counters(frame);
    }
    send(answer(frame, {}));
  }

  void send_counters(const Frame& frame) const {
    MessageBuilder reply(kCountersGet, 0, frame.sequence);
    reply.text(kId, "engine");
    counter(reply, "starts", starts_);
    for (const auto& [id, object] : objects_) {
      counter(reply, "order." + id, object.order);
      counter(reply, "descriptors." + id, object.descriptors);
    }
    send(reply.take());
  }

  static void counter(MessageBuilder& reply, const std::string& name, std::uint64_t value) {
    reply.begin(kCounter).text(kCounterName, name).u64(kCounterValue, value).end();
  }

  const std::uint64_t starts_;
  std::uint64_t order_ = 0;
  std::map<std::string, Object> objects_;
};

}  // namespace

int engine_main(int, char**) {
  void* memory = mmap(nullptr, kEngineStateBytes, PROT_READ | PROT_WRITE, MAP_SHARED, kEngineStateFd, 0);
  if (memory == MAP_FAILED) return 1;
  FakeEngine(++*static_cast<std::uint64_t*>(memory)).run();
  return 0;
}

}  // namespace nsm
