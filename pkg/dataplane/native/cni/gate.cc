#include "cni/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <span>

#include "io/fd.h"
#include "protocol/protocol.h"

namespace nsm::cni {

using namespace protocol;
using io::Fd;

namespace {

constexpr std::int64_t kConnectMs = 1000;
constexpr std::int64_t kSendMs = 1000;
constexpr std::uint32_t kSequence = 1;
constexpr std::size_t kMaxFieldBytes = 256;  // of the pod's names

constexpr Fault kAway{kTryLater,
                      "the nsmesh daemon of this node does not run; see the pods of its DaemonSet"};
constexpr Fault kSilent{kTryLater,
                        "the nsmesh daemon of this node does not answer; see the logs of its DaemonSet"};
constexpr Fault kGarbled{kTryLater,
                         "the nsmesh daemon of this node gave an answer that is none of the protocol"};

alignas(nlmsghdr) char buffer[kMaxMessageBytes];  // of the message, and then of the answer

// Writes a message into the buffer, which is larger than all that Configuration and check() let through.
class Writer {
 public:
  explicit Writer(Message type) {
    const nlmsghdr header{0, type, NLM_F_REQUEST | NLM_F_ACK, kSequence, 0};
    std::memcpy(buffer, &header, sizeof header);
  }

  void text(Attribute attribute, std::string_view value) { bytes(attribute, value.data(), value.size()); }
  void u64(Attribute attribute, std::uint64_t value) { bytes(attribute, &value, sizeof value); }

  std::string_view take() {
    const auto length = static_cast<std::uint32_t>(size_);
    std::memcpy(buffer, &length, sizeof length);
    return {buffer, size_};
  }

 private:
  void bytes(Attribute attribute, const void* value, std::size_t size) {
    const nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + size), attribute};
    std::memcpy(buffer + size_, &header, sizeof header);
    std::memcpy(buffer + size_ + NLA_HDRLEN, value, size);
    const std::size_t end = size_ + NLA_HDRLEN + size;
    size_ = NLA_ALIGN(end);
    std::memset(buffer + end, 0, size_ - end);
  }

  std::size_t size_ = NLMSG_HDRLEN;
};

std::optional<Fault> check(const Pod& pod) {
  for (const std::string_view field : {pod.uid, pod.namespace_name, pod.name, pod.sandbox}) {
    if (field.empty() || field.size() > kMaxFieldBytes) {
      return Fault{
          kBadEnvironment,
          "CNI_CONTAINERID, or K8S_POD_UID, K8S_POD_NAMESPACE or K8S_POD_NAME in CNI_ARGS is missing or "
          "too long"};
    }
  }
  return {};
}

void set_timeout(const Fd& socket, int option, const Deadline& deadline) {
  // 0 would mean for ever.
  const std::int64_t ms = std::max<std::int64_t>(deadline.left_ms(), 1);
  const timeval timeout{ms / 1000, ms % 1000 * 1000};
  setsockopt(socket.get(), SOL_SOCKET, option, &timeout, sizeof timeout);
}

std::optional<Fault> connect_to(std::string_view run, const Deadline& deadline, Fd& socket) {
  constexpr std::string_view kName = "/cni";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, run.data(), run.size());
  std::memcpy(address.sun_path + run.size(), kName.data(), kName.size());
  socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_timeout(socket, SO_SNDTIMEO,
              deadline);  // connect() waits for a place in the queue as long as this says
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  return errno == EAGAIN ? kSilent : kAway;
}

std::string_view describe(Verb verb, const Pod& pod, const Configuration& configuration,
                          const struct stat& netns) {
  Writer message(verb == Verb::kAdd ? kPodAdd : kPodDel);
  message.text(kPod, pod.uid);
  message.text(kPodNamespace, pod.namespace_name);
  message.text(kPodName, pod.name);
  message.text(kSandbox, pod.sandbox);
  if (verb == Verb::kDel) return message.take();
  message.u64(kNsDev, netns.st_dev);
  message.u64(kNsIno, netns.st_ino);
  if (configuration.requested_services) message.text(kRequestedServices, *configuration.requested_services);
  if (configuration.served_services) message.text(kServedServices, *configuration.served_services);
  return message.take();
}

// `passed`: a descriptor that goes with the first byte, or none.
std::optional<Fault> send(const Fd& socket, std::string_view message, const Fd& passed,
                          const Deadline& deadline) {
  bool is_first = true;
  while (!message.empty()) {
    iovec vector{const_cast<char*>(message.data()), message.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    if (is_first && passed) {
      header.msg_control = control;
      header.msg_controllen = sizeof control;
      const cmsghdr rights{CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
      const int fd = passed.get();
      std::memcpy(control, &rights, sizeof rights);
      std::memcpy(control + CMSG_LEN(0), &fd, sizeof fd);
    }
    set_timeout(socket, SO_SNDTIMEO, deadline);
    const ssize_t sent = sendmsg(socket.get(), &header, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN ? kSilent : kAway;
    message.remove_prefix(static_cast<std::size_t>(sent));
    is_first = false;
  }
  return {};
}

std::optional<Fault> receive(const Fd& socket, std::span<char> into, const Deadline& deadline) {
  std::size_t size = 0;
  while (size < into.size()) {
    if (deadline.left_ms() == 0) return kSilent;
    set_timeout(socket, SO_RCVTIMEO, deadline);
    const ssize_t got = recv(socket.get(), into.data() + size, into.size() - size, 0);
    if (got < 0) return errno == EAGAIN ? kSilent : kAway;
    if (got == 0) return kAway;
    size += static_cast<std::size_t>(got);
  }
  return {};
}

// The text of a refusal: NLMSGERR_ATTR_MSG, right behind the error.
std::string_view refusal(const nlmsghdr& header) {
  constexpr std::size_t kAt = NLMSG_HDRLEN + sizeof(nlmsgerr);
  nlattr text{};
  if (!(header.nlmsg_flags & NLM_F_ACK_TLVS) || header.nlmsg_len < kAt + sizeof text) return {};
  std::memcpy(&text, buffer + kAt, sizeof text);
  const bool is_text = text.nla_type == NLMSGERR_ATTR_MSG && text.nla_len > NLA_HDRLEN &&
                       text.nla_len <= header.nlmsg_len - kAt;
  if (!is_text) return {};
  std::string_view result(buffer + kAt + NLA_HDRLEN, text.nla_len - NLA_HDRLEN);
  while (!result.empty() && result.back() == '\0') result.remove_suffix(1);
  return result;
}

std::optional<Fault> read_answer(const Fd& socket, const Deadline& deadline) {
  nlmsghdr header;
  if (auto fault = receive(socket, std::span(buffer).first(sizeof header), deadline)) return fault;
  std::memcpy(&header, buffer, sizeof header);
  const bool is_answer = header.nlmsg_type == NLMSG_ERROR && header.nlmsg_seq == kSequence &&
                         header.nlmsg_len >= NLMSG_HDRLEN + sizeof(nlmsgerr) &&
                         header.nlmsg_len <= kMaxMessageBytes;
  if (!is_answer) return kGarbled;
  const auto rest = std::span(buffer).first(header.nlmsg_len).subspan(sizeof header);
  if (auto fault = receive(socket, rest, deadline)) return fault;
  nlmsgerr error;
  std::memcpy(&error, rest.data(), sizeof error);
  if (error.error == 0) return {};
  const std::string_view why = refusal(header);
  return Fault{kTryLater,
               why.empty() ? "the nsmesh daemon of this node refused the pod without a reason" : why};
}

}  // namespace

std::optional<Fault> tell(Verb verb, const Pod& pod, const Configuration& configuration,
                          const Deadline& deadline) {
  if (auto fault = check(pod)) return fault;
  Fd netns;
  struct stat info {};
  if (verb == Verb::kAdd) {
    if (pod.netns != nullptr) netns = Fd(open(pod.netns, O_RDONLY | O_CLOEXEC));
    if (!netns || fstat(netns.get(), &info) != 0)
      return Fault{kBadEnvironment, "CNI_NETNS is not the path of a network namespace"};
  }
  Fd socket;
  if (auto fault = connect_to(configuration.run, deadline.within(kConnectMs), socket)) return fault;
  const std::string_view message = describe(verb, pod, configuration, info);
  if (auto fault = send(socket, message, netns, deadline.within(kSendMs))) return fault;
  return read_answer(socket, deadline);
}

}  // namespace nsm::cni
