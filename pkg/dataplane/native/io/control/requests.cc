#include "io/control/requests.h"

#include <errno.h>

#include <algorithm>

#include "io/clock.h"
#include "io/control/counters-reply.h"
#include "io/control/wireguard-port.h"

namespace nsm::io {

using namespace protocol;

struct Requests::Entry {
  Message type;
  Handler handler;
  enum class Id : std::uint8_t { kRequired, kOptional, kParsedByHandler } id;
};

const Requests::Entry Requests::kEntries[] = {
    {kHello, &Requests::hello, Entry::Id::kParsedByHandler},
    {kUnderlaySet, &Requests::set_underlay, Entry::Id::kParsedByHandler},
    {kUnderlayDel, &Requests::delete_underlay, Entry::Id::kRequired},
    {kUnderlayGet, &Requests::get_underlays, Entry::Id::kOptional},
    {kPortSet, &Requests::set_port, Entry::Id::kParsedByHandler},
    {kPortDel, &Requests::delete_port, Entry::Id::kRequired},
    {kPortGet, &Requests::get_ports, Entry::Id::kOptional},
    {kCrossConnectSet, &Requests::set_cross_connect, Entry::Id::kParsedByHandler},
    {kCrossConnectDel, &Requests::delete_cross_connect, Entry::Id::kRequired},
    {kCrossConnectGet, &Requests::get_cross_connects, Entry::Id::kOptional},
    {kLinkQualityGet, &Requests::get_link_qualities, Entry::Id::kOptional},
    {kRehandshake, &Requests::rehandshake, Entry::Id::kRequired},
    {kCountersGet, &Requests::get_counters, Entry::Id::kOptional},
};

MessageBuilder Requests::Call::reply() const {
  return MessageBuilder(message.frame.type, 0, message.frame.sequence);
}

void Requests::Call::send(MessageBuilder&& reply) const { holder.send(std::move(reply).take()); }

void Requests::serve(HolderMessage& message, HolderSocket& holder) {
  const Status status = dispatch(message, holder);
  if (message.frame.sequence != 0) holder.send(answer(message.frame, status));
}

Status Requests::dispatch(HolderMessage& message, HolderSocket& holder) {
  const auto* entry = std::find_if(std::begin(kEntries), std::end(kEntries),
                                   [&](const Entry& each) { return each.type == message.frame.type; });
  if (entry == std::end(kEntries)) {
    return {EOPNOTSUPP, "the engine does not know message type " + std::to_string(message.frame.type)};
  }
  Fields fields;
  if (entry->id != Entry::Id::kParsedByHandler) {
    Status status = fields.parse(message.frame.attributes, {kId});
    if (status.ok() && entry->id == Entry::Id::kRequired) status = fields.require({kId});
    if (!status.ok()) return status;
  }
  return (this->*entry->handler)({message, holder, fields});
}

// The holder has repeated all objects, so packets find complete cross-connects from now on.
Status Requests::hello(const Call& call) {
  Fields fields;
  if (Status status = fields.parse(call.message.frame.attributes, {kVersionAttr}); !status.ok())
    return status;
  if (fields.u32(kVersionAttr) != kVersion) {
    return {EPROTONOSUPPORT, "the engine speaks version " + std::to_string(kVersion) + " of this protocol"};
  }
  if (started_) return {};
  started_ = true;
  parts_.underlays.each_node([](WireguardNode& node) { node.resume(now()); });
  parts_.threads.ingress.post(StartReading{});
  return {};
}

Status Requests::set_underlay(const Call& call) {
  return parts_.underlays.set(call.message.frame.attributes, std::move(call.message.fd));
}

Status Requests::delete_underlay(const Call& call) { return parts_.underlays.remove(call.fields.text(kId)); }

Status Requests::get_underlays(const Call& call) {
  const std::string_view id = call.fields.text(kId);
  parts_.underlays.each([&](const Underlay& underlay) {
    if (!id.empty() && underlay.id() != id) return;
    MessageBuilder reply = call.reply();
    underlay.describe(reply);
    call.send(std::move(reply));
  });
  return {};
}

Status Requests::set_port(const Call& call) {
  return parts_.ports.set(call.message.frame.attributes, std::move(call.message.fd));
}

Status Requests::delete_port(const Call& call) {
  parts_.ports.remove(call.fields.text(kId));
  return {};
}

Status Requests::get_ports(const Call& call) {
  const std::string_view id = call.fields.text(kId);
  if (!id.empty() && !parts_.ports.find(id)) return {ENOENT, "there is no port " + std::string(id)};
  parts_.ports.each([&](const Port& port) {
    if (!id.empty() && port.id() != id) return;
    MessageBuilder reply = call.reply();
    reply.text(kId, port.id()).u8(kKind, port.kind());
    port.describe(reply);
    call.send(std::move(reply));
  });
  return {};
}

Status Requests::set_cross_connect(const Call& call) {
  return parts_.ports.cross_connects().set(call.message.frame.attributes);
}

Status Requests::delete_cross_connect(const Call& call) {
  parts_.ports.cross_connects().remove(call.fields.text(kId));
  return {};
}

Status Requests::get_cross_connects(const Call& call) {
  const std::string_view wanted = call.fields.text(kId);
  for (const auto& [id, wire] : parts_.ports.cross_connects().all()) {
    if (!wanted.empty() && wanted != id) continue;
    MessageBuilder reply = call.reply();
    reply.text(kId, id).text(kPortA, wire.port_a).text(kPortB, wire.port_b);
    call.send(std::move(reply));
  }
  return {};
}

Status Requests::get_link_qualities(const Call& call) {
  parts_.underlays.each_node([&](const WireguardNode& node) {
    node.link_quality().describe([&] { return call.reply(); },
                                 [&](MessageBuilder&& reply) { call.send(std::move(reply)); });
  });
  return {};
}

Status Requests::rehandshake(const Call& call) {
  auto* port = dynamic_cast<WireguardPort*>(parts_.ports.find(call.fields.text(kId)));
  if (!port) return {ENOENT, "there is no wireguard port " + std::string(call.fields.text(kId))};
  port->peer().rehandshake(now());
  return {};
}

Status Requests::get_counters(const Call& call) {
  const std::string_view id = call.fields.text(kId);
  if (id.empty() || id == kEngineCountersId) {
    call.send(engine_counters_reply(call.reply(), parts_.engine, parts_.underlays));
  }
  parts_.ports.each([&](const Port& port) {
    if (id.empty() || port.id() == id) call.send(counters_reply(call.reply(), port.id(), port.counters()));
  });
  return {};
}

}  // namespace nsm::io
