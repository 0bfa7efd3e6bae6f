// Cross-connects: two ports joined for as long as both exist.
#include "io/control/cross-connects.h"

#include <errno.h>

#include "lab-objects.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

using Lines = std::vector<std::string>;
using protocol::kTap;
using protocol::kTun;
using protocol::Status;

const Lines kJoined = {"egress joined", "ingress joined"};
const Lines kSeparated = {"egress separated", "ingress separated"};

// A node with a tun and a tap port, a wireguard port of each payload, and a vxlan port.
struct Ports : Node {
  Ports() {
    set_tun();
    CHECK(set(device_attributes("tap", kTap), some_device()).ok() && set(vxlan_attributes("vxlan", 7)).ok());
    CHECK(set(wireguard_attributes({.id = "ip", .node_of_peer = 2, .initiator_of_peer = 4, .initiator = 3}))
              .ok());
    CHECK(set(wireguard_attributes({.id = "frames",
                                    .node_of_peer = 2,
                                    .initiator_of_peer = 6,
                                    .initiator = 5,
                                    .ethernet = true}))
              .ok());
    threads.take();
  }
  void set_tun() { CHECK(set(device_attributes("tun", kTun), some_device()).ok()); }
  Status join(const char* id, const char* a, const char* b) {
    MessageBuilder message = attributes();
    message.text(protocol::kId, id).text(protocol::kPortA, a).text(protocol::kPortB, b);
    return ports->cross_connects().set(Attributes(message));
  }
  // The order of the two channels does not matter.
  Lines commands() {
    Lines lines = threads.take();
    std::erase_if(
        lines, [](const std::string& line) { return !line.ends_with("ed") || line.starts_with("device"); });
    std::sort(lines.begin(), lines.end());
    return lines;
  }
};

TEST("a device port joins a network port of its payload, in either order") {
  Ports p;
  CHECK(p.join("1", "tun", "ip").ok() && p.commands() == kJoined);
  CHECK(p.join("2", "vxlan", "tap").ok() && p.commands() == kJoined);
  CHECK(p.ports->cross_connects().all().size() == 2);
}

TEST("two devices, two network ports, different payloads, and unknown ports are not joined") {
  Ports p;
  for (const auto& [a, b] :
       {std::pair{"tun", "tap"}, {"ip", "vxlan"}, {"tun", "vxlan"}, {"tun", "frames"}, {"tap", "ip"}})
    CHECK(p.join("x", a, b).error == EOPNOTSUPP);
  CHECK(p.join("x", "tun", "none").error == ENOENT && p.join("x", "none", "ip").error == ENOENT);
  CHECK(p.commands().empty() && p.ports->cross_connects().all().empty());
}

TEST("a port is joined once at a time") {
  Ports p;
  CHECK(p.join("1", "tap", "vxlan").ok());
  const Status status = p.join("2", "tap", "frames");
  CHECK(status.error == EBUSY && status.text.find("tap") != status.text.npos);
  CHECK(p.join("1", "tap", "frames").ok());  // an existing cross-connect may be changed
  CHECK(p.join("2", "vxlan", "tap").error == EBUSY);
}

TEST("removing a cross-connect separates its ports, which may then be joined again") {
  Ports p;
  CHECK(p.join("1", "tun", "ip").ok());
  p.commands();
  p.ports->cross_connects().remove("1");
  p.ports->cross_connects().remove("1");
  CHECK(p.commands() == kSeparated && p.join("2", "ip", "tun").ok());
}

TEST("a cross-connect is suspended when a port is removed, and restored when the port is back") {
  Ports p;
  CHECK(p.join("1", "tun", "ip").ok());
  p.commands();
  p.ports->remove("tun");
  CHECK(p.commands() == kSeparated && p.ports->cross_connects().all().size() == 1);
  p.set_tun();
  CHECK(p.commands() == kJoined);
}

}  // namespace
}  // namespace nsm::test
