#include "holder/requests.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>

#include "holder/ping-range.h"
#include "holder/pod-namespace.h"
#include "holder/source-checks.h"

namespace nsm::holder {

using namespace protocol;

namespace {

constexpr std::size_t kChunkBytes = 32 * 1024;  // of rtnetlink answers per message

// Packs several of the kernel's messages into each message of ours.
class PayloadWriter {
 public:
  PayloadWriter(ControlConnection& connection, const Frame& request)
      : connection_(connection), request_(request) {}
  ~PayloadWriter() { flush(); }

  void add(View message) {
    if (payload_.size() + message.size() > kChunkBytes) flush();
    payload_.insert(payload_.end(), message.begin(), message.end());
    payload_.resize(NLMSG_ALIGN(payload_.size()));
  }

 private:
  void flush() {
    if (payload_.empty()) return;
    connection_.send(MessageBuilder(kRtnl, 0, request_.sequence).bytes(kPayload, payload_).take());
    payload_.clear();
  }

  ControlConnection& connection_;
  const Frame& request_;
  Bytes payload_;
};

Bytes event_of(NamespaceId ns, bool is_own, View payload) {
  MessageBuilder event(kRtnlEvent, 0, 0);
  if (!is_own) event.u64(kNsDev, ns.dev).u64(kNsIno, ns.ino);
  return event.bytes(kPayload, payload).take();
}

}  // namespace

Bytes namespace_empty(NamespaceId id) {
  MessageBuilder event(kEvent, 0, 0);
  return event.u8(kEventKind, kNamespaceEmpty).u64(kNsDev, id.dev).u64(kNsIno, id.ino).take();
}

void Requests::handle(const ConnectionRef& connection, const Frame& request) {
  bool is_answered = false;
  const Status status = dispatch(connection, request, is_answered);
  if (is_answered && status.ok()) return;
  if (!status.ok()) parts_.counters.add(Count::requests_refused);
  connection->send(answer(request, status));
}

// Sets `is_answered` when someone else ends the answer, perhaps later.
Status Requests::dispatch(const ConnectionRef& connection, const Frame& request, bool& is_answered) {
  if (!(request.flags & NLM_F_REQUEST) || request.sequence == 0) {
    return {EINVAL, "a request needs the flag NLM_F_REQUEST and a sequence number"};
  }
  if (request.type == kHello) return hello(*connection, request);
  if (!connection->is_greeted) return {EPROTO, "the first message on the control socket must be kHello"};
  switch (request.type) {
    case kRtnl:
      return rtnl(connection, request, is_answered);
    case kRtnlWatch:
      return rtnl_watch(connection, request);
    case kNsPin:
      return pin(request);
    case kPodPin:
      return pin_pod(connection, request, is_answered);
    case kNsUnpin:
      return unpin(request);
    case kNsGet:
      return list_pins(*connection, request);
    case kSourcesCheck:
      return check_sources(request);
    default:
      is_answered = true;
      return parts_.objects.handle(connection, request);
  }
}

Status Requests::hello(ControlConnection& connection, const Frame& request) {
  Fields fields;
  if (Status status = fields.parse(request.attributes, {kVersionAttr, kBuild}); !status.ok()) return status;
  if (fields.u32(kVersionAttr) != kVersion) {
    return {EPROTONOSUPPORT, "this nsm-dataplane speaks version " + std::to_string(kVersion) +
                                 " of its protocol; run nsmd and nsm-dataplane of the same release"};
  }
  connection.is_greeted = true;
  MessageBuilder reply(kHello, 0, request.sequence);
  reply.u32(kVersionAttr, kVersion)
      .text(kBuild, NSM_BUILD)
      .u32(kEnginePid, parts_.engine.pid())
      .u32(kEngineRestarts, parts_.engine.restarts());
  for (const std::string& feature : parts_.features) reply.text(kFeature, feature);
  for (const std::string& feature : parts_.engine.features()) reply.text(kFeature, feature);
  connection.send(reply.take());
  parts_.occupancy.tell_again();
  return {};
}

Status Requests::rtnl(const ConnectionRef& connection, const Frame& request, bool& is_answered) {
  Fields fields;
  NamespaceRef target;
  Status status = fields.parse(request.attributes, {kNsDev, kNsIno, kPayload, kFdPatch});
  if (status.ok()) status = fields.require({kPayload});
  if (status.ok()) status = parts_.namespaces.find(fields, target);
  if (!status.ok()) return status;
  Bytes payload(fields.bytes(kPayload).begin(), fields.bytes(kPayload).end());
  if (status = patch_descriptors(fields, payload); !status.ok()) return status;
  if (Rtnl::is_slow(payload)) {
    is_answered = true;
    return rtnl_in_background(connection, request, *target, std::move(payload));
  }
  PayloadWriter writer(*connection, request);
  return rtnl_.exchange(*target, std::move(payload), [&writer](View message) { writer.add(message); });
}

// The answer may come after those to later requests.
Status Requests::rtnl_in_background(const ConnectionRef& connection, const Frame& request,
                                    const Namespace& target, Bytes payload) {
  struct Exchange {
    Fd socket;
    Bytes payload, answers;
    Status status;
  };
  const auto exchange = std::make_shared<Exchange>();
  if (Status status = rtnl_.open(target, exchange->socket); !status.ok()) return status;
  exchange->payload = std::move(payload);
  const auto work = [exchange] {
    exchange->status =
        Rtnl::exchange_on(exchange->socket.get(), std::move(exchange->payload), [&](View message) {
          exchange->answers.insert(exchange->answers.end(), message.begin(), message.end());
          exchange->answers.resize(NLMSG_ALIGN(exchange->answers.size()));
        });
  };
  const Frame asked{request.type, request.flags, request.sequence, {}, {}};
  const std::weak_ptr<ControlConnection> weak = connection;
  background_.run(work, [this, weak, asked, exchange] {
    const ConnectionRef held = weak.lock();
    if (!held) return;
    {
      PayloadWriter writer(*held, asked);
      each_message(exchange->answers, [&writer](View message) { writer.add(message); });
    }
    if (!exchange->status.ok()) parts_.counters.add(Count::requests_refused);
    held->send(answer(asked, exchange->status));
  });
  return {};
}

// Sessions and pins keep the known namespaces open, so their descriptors stay valid
// during the request.
Status Requests::patch_descriptors(const Fields& fields, Bytes& payload) const {
  Status status;
  fields.each(kFdPatch, [&](View nested) {
    Fields patch;
    NamespaceRef target;
    if (status.ok()) status = patch.parse(nested, {kPatchOffset, kNsDev, kNsIno});
    if (status.ok()) status = patch.require({kPatchOffset, kNsDev, kNsIno});
    if (status.ok()) status = parts_.namespaces.find(patch, target);
    if (!status.ok()) return;
    const std::uint32_t offset = *patch.u32(kPatchOffset);
    const int fd = target->fd.get();
    if (payload.size() < sizeof fd || offset > payload.size() - sizeof fd || offset % NLA_ALIGNTO != 0) {
      status = {EINVAL, "fdPatch: offset " + std::to_string(offset) +
                            " is not the offset of an attribute in the payload"};
    } else {
      std::memcpy(payload.data() + offset, &fd, sizeof fd);
    }
  });
  return status;
}

Status Requests::rtnl_watch(const ConnectionRef& connection, const Frame& request) {
  Fields fields;
  NamespaceRef target;
  Status status = fields.parse(request.attributes, {kNsDev, kNsIno, kGroups});
  if (status.ok()) status = fields.require({kGroups});
  if (status.ok()) status = parts_.namespaces.find(fields, target);
  if (!status.ok()) return status;
  if (const auto old = connection->watches.find(target->id); old != connection->watches.end()) {
    parts_.loop.forget(old->second.get());
    connection->watches.erase(old);
  }
  if (*fields.u32(kGroups) == 0) return {};
  Fd socket;
  if (status = rtnl_.subscribe(*target, *fields.u32(kGroups), socket); !status.ok()) return status;
  connection->watches[target->id] = std::move(socket);
  watch_events(connection, target->id, !fields.has(kNsDev));
  return {};
}

void Requests::watch_events(const ConnectionRef& connection, NamespaceId ns, bool is_own) {
  const std::weak_ptr<ControlConnection> weak = connection;
  const int fd = connection->watches.at(ns).get();
  parts_.loop.watch(fd, EPOLLIN, [this, weak, ns, is_own, fd](std::uint32_t) {
    static std::vector<std::uint8_t> buffer(kMaxDatagramBytes);
    const ConnectionRef held = weak.lock();
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (!held || (size < 0 && errno != ENOBUFS)) return;
    if (size < 0) {
      parts_.counters.add(Count::events_lost);
      const nlmsghdr overrun{NLMSG_HDRLEN, NLMSG_OVERRUN, 0, 0, 0};
      return held->send(
          event_of(ns, is_own, {reinterpret_cast<const std::uint8_t*>(&overrun), sizeof overrun}));
    }
    each_message(View(buffer).first(size), [&](View message) { held->send(event_of(ns, is_own, message)); });
  });
}

Status Requests::pin(const Frame& request) {
  Fields fields;
  NamespaceRef target;
  Status status = fields.parse(request.attributes, {kId, kNsDev, kNsIno});
  if (status.ok()) status = fields.require({kId, kNsDev, kNsIno});
  if (status.ok()) status = parts_.namespaces.find(fields, target);
  if (!status.ok()) return status;
  return keep(std::string(fields.text(kId)), target);
}

// The look through /proc takes too long for the event loop. The answer may come after those to later
// requests.
Status Requests::pin_pod(const ConnectionRef& connection, const Frame& request, bool& is_answered) {
  struct Lookup {
    PodQuery query;
    Fd ns;
    Status status;
  };
  Fields fields;
  Status status = fields.parse(request.attributes, {kId, kPod});
  if (status.ok()) status = fields.require({kId, kPod});
  if (status.ok() && fields.bytes(kPod).empty()) status = {EINVAL, "attribute pod is empty"};
  if (!status.ok()) return status;
  is_answered = true;
  const auto lookup = std::make_shared<Lookup>();
  lookup->query = {std::string(fields.text(kPod)), parts_.kubelet_root, parts_.namespaces.own()->id};
  const std::string id(fields.text(kId));
  const Frame asked{request.type, request.flags, request.sequence, {}, {}};
  const std::weak_ptr<ControlConnection> weak = connection;
  const auto work = [lookup] { lookup->status = find_pod_namespace(lookup->query, lookup->ns); };
  background_.run(work, [this, lookup, id, asked, weak] {
    const ConnectionRef held = weak.lock();
    if (!held) return;  // who is gone wants no pin
    Status found = lookup->status;
    const NamespaceRef target = found.ok() ? parts_.namespaces.add(std::move(lookup->ns)) : nullptr;
    if (target) found = keep(id, target);
    if (!found.ok()) {
      parts_.counters.add(Count::requests_refused);
    } else {
      MessageBuilder reply(kPodPin, 0, asked.sequence);
      held->send(reply.text(kId, id).u64(kNsDev, target->id.dev).u64(kNsIno, target->id.ino).take());
    }
    held->send(answer(asked, found));
  });
  return {};
}

Status Requests::keep(const std::string& id, const NamespaceRef& target) {
  const bool is_first = !parts_.namespaces.is_pinned(target->id);
  if (Status status = parts_.namespaces.pin(id, target); !status.ok()) return status;
  if (is_first) target->allows_ping = allow_ping(parts_.namespaces, *target);
  parts_.occupancy.changed(target->id);
  return {};
}

Status Requests::unpin(const Frame& request) {
  Fields fields;
  Status status = fields.parse(request.attributes, {kId});
  if (status.ok()) status = fields.require({kId});
  if (!status.ok()) return status;
  const std::string id(fields.text(kId));
  const auto pin = parts_.namespaces.pins().find(id);
  if (pin == parts_.namespaces.pins().end()) return status;
  const NamespaceRef target = pin->second;
  parts_.namespaces.unpin(id);
  if (target->allows_ping && !parts_.namespaces.is_pinned(target->id)) {
    disallow_ping(parts_.namespaces, *target);
    target->allows_ping = false;
  }
  parts_.occupancy.changed(target->id);
  return status;
}

Status Requests::list_pins(ControlConnection& connection, const Frame& request) {
  Fields fields;
  if (Status status = fields.parse(request.attributes, {}); !status.ok()) return status;
  for (const auto& [id, ns] : parts_.namespaces.pins()) {
    MessageBuilder pin(kNsGet, 0, request.sequence);
    connection.send(pin.text(kId, id).u64(kNsDev, ns->id.dev).u64(kNsIno, ns->id.ino).take());
  }
  return {};
}

Status Requests::check_sources(const Frame& request) {
  Fields fields;
  NamespaceRef target;
  Status status = fields.parse(request.attributes, {kNsDev, kNsIno});
  if (status.ok()) status = parts_.namespaces.find(fields, target);
  return status.ok() ? add_source_checks(parts_.namespaces, *target) : status;
}

}  // namespace nsm::holder
