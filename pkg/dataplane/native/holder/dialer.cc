#include "holder/dialer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/epoll.h>

#include <charconv>
#include <cstring>

#include "holder/reach.h"

namespace nsm::holder {

using namespace protocol;

namespace {

constexpr std::size_t kMaxRequestBytes = 8 * 1024;
constexpr uid_t kNobody = 65534;           // of whom nsmd says nothing: it owns no file
constexpr std::size_t kMaxCallers = 1024;  // whose request is not complete yet

// How many bytes complete the request; 0: it is malformed.
std::size_t wanted_bytes(const Bytes& request) {
  if (request.size() < NLMSG_HDRLEN) return NLMSG_HDRLEN;
  nlmsghdr header;
  std::memcpy(&header, request.data(), sizeof header);
  const bool sound = header.nlmsg_len >= NLMSG_HDRLEN && header.nlmsg_len <= kMaxRequestBytes;
  return sound ? NLMSG_ALIGN(header.nlmsg_len) : 0;
}

// "dev/ino"
bool parse_inode(std::string_view text, NamespaceId& inode) {
  const char* end = text.data() + text.size();
  const auto dev = std::from_chars(text.data(), end, inode.dev);
  if (dev.ec != std::errc{} || dev.ptr == end || *dev.ptr != '/') return false;
  const auto ino = std::from_chars(dev.ptr + 1, end, inode.ino);
  return ino.ec == std::errc{} && ino.ptr == end;
}

}  // namespace

void Dialer::serve(Fd socket) {
  acceptor_ = std::make_unique<Acceptor>(loop_, counters_, std::move(socket));
  acceptor_->serve([this](Fd connection) { admit(std::move(connection)); });
}

void Dialer::admit(Fd connection) {
  if (!may_control(connection, options_.daemon_uid, counters_) || callers_.size() >= kMaxCallers) return;
  const int fd = connection.get();
  callers_.insert_or_assign(fd, Caller{std::move(connection), {}});
  loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t) { read_request(fd); });
}

// Reads the bytes of the request and no more: what follows is for the endpoint.
void Dialer::read_request(int fd) {
  Caller& caller = callers_.at(fd);
  const std::size_t have = caller.request.size();
  const std::size_t wanted = wanted_bytes(caller.request);
  caller.request.resize(wanted);
  const ssize_t got = recv(fd, caller.request.data() + have, wanted - have, MSG_DONTWAIT);
  caller.request.resize(have + std::max<ssize_t>(got, 0));
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(fd);
  if (const std::size_t now_wanted = wanted_bytes(caller.request); now_wanted == 0) {
    counters_.add(Count::malformed);
    return drop(fd);
  } else if (caller.request.size() < now_wanted) {
    return;
  }
  Frame request;
  next_frame(caller.request, request);
  if (const Status status = dial(request, caller); !status.ok()) refuse(fd, request, status);
}

void Dialer::refuse(int fd, const Frame& request, const Status& status) {
  counters_.add(Count::refused_dials);
  send_with_fds(fd, answer(request, status), {});  // the socket is new, so its buffer has room for this
  drop(fd);
}

Status Dialer::dial(const Frame& request, Caller& caller) {
  Fd endpoint;
  if (Status status = connect(request, endpoint); !status.ok()) return status;
  Session* session = nullptr;
  if (Status status = sessions_.open(endpoint.get(), "", session); !status.ok()) return status;
  if (sessions_.is_in_own_namespace(*session) && !options_.allow_own_namespace) {
    sessions_.close(session->id);
    return {
        EPERM,
        "the endpoint runs in the node's own network namespace, where no endpoint is served; start it in a "
        "namespace of its own"};
  }
  counters_.add(Count::dials);
  const Bytes first = preface(*session, request.sequence);
  const int fd = caller.socket.get();
  loop_.forget(fd);
  Fd nsmd = std::move(caller.socket);
  callers_.erase(fd);  // this also frees `request`
  sessions_.start(*session, {std::move(endpoint), std::move(nsmd)}, first);
  return {};
}

Status Dialer::connect(const Frame& request, Fd& endpoint) {
  if (request.type != kDial) return {EOPNOTSUPP, "the dial socket accepts one kDial message"};
  Fields fields;
  if (Status status = fields.parse(request.attributes, {kUrl, kUid}); !status.ok()) return status;
  if (Status status = fields.require({kUrl}); !status.ok()) return status;
  const std::string_view url = fields.text(kUrl);
  Fd file;
  Status status = open_socket(url, fields.u32(kUid).value_or(kNobody), file);
  if (status.ok()) status = connect_unix("/proc/self/fd/" + std::to_string(file.get()), endpoint);
  if (!status.ok()) status.text = std::string(url) + ": " + status.text;
  return status;
}

// Opens the socket as `uid` could.
Status Dialer::open_socket(std::string_view url, uid_t uid, Fd& file) const {
  NamespaceId inode;
  if (url.starts_with("unix:///")) {
    const std::string path(url.substr(std::strlen("unix://")));
    if (Status status = check_path(path); !status.ok()) return status;
    if (Status status = reach(path, uid, file); !status.ok()) return status;
    return may_connect(file, uid);
  }
  if (!url.starts_with("inode://") || !parse_inode(url.substr(std::strlen("inode://")), inode)) {
    return {EINVAL, std::string(url) + " is neither unix:///path nor inode://dev/ino"};
  }
  const int fd = sessions_.find_descriptor(inode);
  if (fd < 0) return {ENOENT, std::string(url) + " is no descriptor that a connected program has passed"};
  file = Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  return may_connect(file, uid);
}

void Dialer::drop(int fd) {
  loop_.forget(fd);
  callers_.erase(fd);
}

}  // namespace nsm::holder
