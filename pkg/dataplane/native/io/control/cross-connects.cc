#include "io/control/cross-connects.h"

#include <errno.h>

#include "io/control/ports.h"

namespace nsm::io {

using namespace protocol;

Status CrossConnects::set(View attributes) {
  Fields fields;
  Status status = fields.parse(attributes, {kId, kPortA, kPortB});
  if (status.ok()) status = fields.require({kId, kPortA, kPortB});
  if (!status.ok()) return status;
  const std::string_view id = fields.text(kId);
  const CrossConnect wanted{std::string(fields.text(kPortA)), std::string(fields.text(kPortB))};
  Joined joined;
  if (status = find_ports(wanted, joined); !status.ok()) return status;
  for (const std::string& port : {wanted.port_a, wanted.port_b}) {
    const std::string* other = id_of(port);
    if (other && *other != id) return {EBUSY, "port " + port + " belongs to cross-connect " + *other};
  }
  remove(id);
  by_id_.emplace(id, wanted);
  id_by_port_.emplace(wanted.port_a, id);
  id_by_port_.emplace(wanted.port_b, id);
  join(wanted);
  return {};
}

void CrossConnects::remove(std::string_view id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  part(found->second);
  id_by_port_.erase(found->second.port_a);
  id_by_port_.erase(found->second.port_b);
  by_id_.erase(found);
}

void CrossConnects::join_port(std::string_view port) {
  if (const std::string* id = id_of(port)) join(by_id_.find(*id)->second);
}

void CrossConnects::part_port(std::string_view port) {
  if (const std::string* id = id_of(port)) part(by_id_.find(*id)->second);
}

Status CrossConnects::find_ports(const CrossConnect& cross_connect, Joined& joined) const {
  Port* const a = ports_.find(cross_connect.port_a);
  Port* const b = ports_.find(cross_connect.port_b);
  if (!a || !b) return {ENOENT, "there is no port " + (a ? cross_connect.port_b : cross_connect.port_a)};
  Port* const device = a->device() ? a : b;
  Port* const network = device == a ? b : a;
  if (!device->device() || !network->network() || network->network()->device != device->kind()) {
    return {
        EOPNOTSUPP,
        "a cross-connect joins a tun to a tunnel of IP packets, or a tap to one of Ethernet frames; this one "
        "names " +
            cross_connect.port_a + " and " + cross_connect.port_b};
  }
  joined = {*device->device(), *network->network()};
  return {};
}

const std::string* CrossConnects::id_of(std::string_view port) const {
  const auto found = id_by_port_.find(port);
  return found == id_by_port_.end() ? nullptr : &found->second;
}

void CrossConnects::join(const CrossConnect& cross_connect) {
  Joined joined;
  if (!find_ports(cross_connect, joined).ok()) return;
  threads_.ingress.post(JoinIngress{joined.network.ingress, joined.device.ingress});
  threads_.egress.post(JoinEgress{joined.device.egress, joined.network.egress});
}

void CrossConnects::part(const CrossConnect& cross_connect) {
  Joined joined;
  if (!find_ports(cross_connect, joined).ok()) return;
  threads_.egress.post(JoinEgress{joined.device.egress, nullptr});
  threads_.ingress.post(JoinIngress{joined.network.ingress, nullptr});
}

}  // namespace nsm::io
