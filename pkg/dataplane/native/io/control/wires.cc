#include "io/control/wires.h"

#include <errno.h>

#include "io/control/ports.h"

namespace nsm::io {

using namespace protocol;

Status Wires::set(View attributes) {
  Fields fields;
  Status status = fields.parse(attributes, {kId, kPortA, kPortB});
  if (status.ok()) status = fields.require({kId, kPortA, kPortB});
  if (!status.ok()) return status;
  const std::string_view id = fields.text(kId);
  const Wire wire{std::string(fields.text(kPortA)), std::string(fields.text(kPortB))};
  Ends ends;
  if (status = ends_of(wire, ends); !status.ok()) return status;
  for (const std::string& port : {wire.port_a, wire.port_b}) {
    const std::string* other = wire_of(port);
    if (other && *other != id) return {EBUSY, "port " + port + " belongs to wire " + *other};
  }
  remove(id);
  by_id_.emplace(id, wire);
  id_by_port_.emplace(wire.port_a, id);
  id_by_port_.emplace(wire.port_b, id);
  join(wire);
  return {};
}

void Wires::remove(std::string_view id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  part(found->second);
  id_by_port_.erase(found->second.port_a);
  id_by_port_.erase(found->second.port_b);
  by_id_.erase(found);
}

void Wires::join_port(std::string_view port) {
  if (const std::string* id = wire_of(port)) join(by_id_.find(*id)->second);
}

void Wires::part_port(std::string_view port) {
  if (const std::string* id = wire_of(port)) part(by_id_.find(*id)->second);
}

Status Wires::ends_of(const Wire& wire, Ends& ends) const {
  Port* const a = ports_.find(wire.port_a);
  Port* const b = ports_.find(wire.port_b);
  if (!a || !b) return {ENOENT, "there is no port " + (a ? wire.port_b : wire.port_a)};
  Port* const near = a->device() ? a : b;
  Port* const far = near == a ? b : a;
  if (!near->device() || !far->network() || far->network()->device != near->kind()) {
    return {EOPNOTSUPP,
            "a wire joins tun to wireguard of payload ip, or tap to vxlan or wireguard of payload ethernet; "
            "this one has " +
                wire.port_a + " and " + wire.port_b};
  }
  ends = {*near->device(), *far->network()};
  return {};
}

const std::string* Wires::wire_of(std::string_view port) const {
  const auto found = id_by_port_.find(port);
  return found == id_by_port_.end() ? nullptr : &found->second;
}

void Wires::join(const Wire& wire) {
  Ends ends;
  if (!ends_of(wire, ends).ok()) return;
  threads_.ingress.post(JoinIngress{ends.network.ingress, ends.device.ingress});
  threads_.egress.post(JoinEgress{ends.device.egress, ends.network.egress});
}

void Wires::part(const Wire& wire) {
  Ends ends;
  if (!ends_of(wire, ends).ok()) return;
  threads_.egress.post(JoinEgress{ends.device.egress, nullptr});
  threads_.ingress.post(JoinIngress{ends.network.ingress, nullptr});
}

}  // namespace nsm::io
