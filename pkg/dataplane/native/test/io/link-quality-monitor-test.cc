// The link quality monitor: probes in the session of one wire, events to the holder, and the MTU of
// every wire that uses the link.
#include "io/control/link-quality-monitor.h"

#include <map>
#include <set>

#include "lab-objects.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

using protocol::EventKind;
using protocol::View;

// Two nodes with a session over loopback. The test answers what their data threads would send.
struct Pair {
  Pair() {
    a.set(wireguard_attributes(spec("w1", 3, 4))).ok();
    b.set(wireguard_attributes(
        {.id = "w1", .node_of_peer = 1, .initiator_of_peer = 3, .initiator = 4, .peer = address(a)}));
  }
  static SocketAddress address(Node& node) {
    const io::Underlay& underlay = *node.underlays->find(kWireguardUnderlay);
    io::Sockaddr bound;
    socklen_t length = sizeof bound;
    getsockname(underlay.socket(), &bound.any, &length);
    return bound.socket_address();
  }
  WireguardSpec spec(const char* id, std::uint8_t initiator, std::uint8_t initiator_of_peer) {
    return {.id = id,
            .node_of_peer = 2,
            .initiator_of_peer = initiator_of_peer,
            .initiator = initiator,
            .peer = address(b),
            .probe_messages = true};
  }
  io::WireguardPort& port(const char* id) { return static_cast<io::WireguardPort&>(*a.ports->find(id)); }

  // Passes the next waiting datagram of the socket to `node`; false: there is none.
  bool receive(Node& node) {
    HandshakeNote note;
    io::Sockaddr from;
    socklen_t length = sizeof from;
    const int socket = node.underlays->find(kWireguardUnderlay)->socket();
    const ssize_t size = recvfrom(socket, note.bytes.data(), note.bytes.size(), 0, &from.any, &length);
    if (size < 0) return false;
    note.from = from.socket_address();
    note.size = static_cast<std::uint8_t>(size);
    node.wireguard().on_note({0, note}, now);
    return true;
  }
  void establish() {
    tick();  // requests a session
    receive(b);
    receive(a);
  }
  void establish(const char* id) {
    port(id).peer().want_session(now);
    while (receive(b)) {  // handshakes of other wires may wait there, too
    }
    while (receive(a)) {
    }
    CHECK(port(id).peer().verdict() == nsm::Verdict::kUp);
  }
  std::uint64_t tick() { return a.wireguard().tick(now); }
  // Advances the clock in steps of 10 ms; the far side echoes probes of at most `passes` bytes.
  void pass(std::uint64_t ns, std::uint32_t passes) {
    for (const std::uint64_t end = now.boot_ns + ns; now.boot_ns < end; now.boot_ns += 10 * kNsPerMs) {
      tick();
      for (auto& [egress, message] : a.threads.take_probe_messages()) {
        io::WireguardPort& carrier = port_of(egress);
        if (message.kind != ProbeMessageKind::kProbe || message.bytes > passes) continue;
        if (forgotten.contains(carrier.id())) continue;
        probes[carrier.id()]++;
        message.kind = ProbeMessageKind::kEcho;
        a.wireguard().on_note({0, ProbeNote{carrier.peer().tag(), message}}, now);
      }
    }
  }
  io::WireguardPort& port_of(const io::WireguardEgress* egress) {
    io::WireguardPort* found = nullptr;
    a.ports->each([&](const io::Port& port) {
      auto& wireguard = static_cast<io::WireguardPort&>(*a.ports->find(port.id()));
      if (wireguard.egress() == egress) found = &wireguard;
    });
    CHECK(found != nullptr);
    return *found;
  }
  // Adds `count` wires after w1 at both nodes, with sessions.
  void add_wires(int count) {
    for (int i = 2; i <= count + 1; i++) {
      const std::string id = "w" + std::to_string(i);
      const auto ours = static_cast<std::uint8_t>(2 * i + 10), theirs = static_cast<std::uint8_t>(2 * i + 11);
      CHECK(b.set(wireguard_attributes({.id = id.c_str(),
                                        .node_of_peer = 1,
                                        .initiator_of_peer = ours,
                                        .initiator = theirs,
                                        .peer = address(a)}))
                .ok());
      CHECK(a.set(wireguard_attributes(spec(id.c_str(), ours, theirs))).ok());
      port(id.c_str()).peer().want_session(now);
      receive(b);
      receive(a);
      CHECK(port(id.c_str()).peer().verdict() == nsm::Verdict::kUp);
    }
  }
  // Adds `count` wires to another far node, with sessions, which then says that it is where the first one is.
  void add_strays(int count) {
    for (int i = 1; i <= count; i++) {
      const std::string id = "m" + std::to_string(i);
      const auto ours = static_cast<std::uint8_t>(2 * i + 100),
                 theirs = static_cast<std::uint8_t>(2 * i + 101);
      WireguardSpec stray = {.id = id.c_str(),
                             .node_of_peer = 3,
                             .initiator_of_peer = theirs,
                             .initiator = ours,
                             .peer = address(c),
                             .probe_messages = true};
      CHECK(c.set(wireguard_attributes({.id = id.c_str(),
                                        .node_of_peer = 1,
                                        .initiator_of_peer = ours,
                                        .initiator = theirs,
                                        .peer = address(a)}))
                .ok());
      CHECK(a.set(wireguard_attributes(stray)).ok());
      port(id.c_str()).peer().want_session(now);
      receive(c);
      receive(a);
      CHECK(port(id.c_str()).peer().verdict() == nsm::Verdict::kUp);
      stray.peer = address(b);
      CHECK(a.set(wireguard_attributes(stray)).ok());
      forgotten.insert(id);  // the first far node does not know its sessions
    }
  }
  // The kinds of events since the last call.
  std::vector<int> events() {
    std::vector<int> kinds;
    for (const protocol::Bytes& event : a.events()) {
      Fields fields;
      CHECK(fields.parse_any(View(event)).ok());
      kinds.push_back(fields.u8(protocol::kEventKind).value_or(0));
      if (kinds.back() == protocol::kSessionDown) lost.emplace(fields.text(protocol::kId));
      last_event.assign(event.begin(), event.end());
    }
    return kinds;
  }

  Node a{1, 1}, b{2, 2}, c{3, 3};
  Now now = io::now();
  std::map<std::string, int> probes;  // answered, by wire
  std::set<std::string> forgotten;    // wires whose probes the far node drops
  std::set<std::string> lost;         // wires with a session-down event
  protocol::Bytes last_event;
};

TEST("without a session no probe is sent, and a session is requested") {
  Pair p;
  p.tick();
  CHECK(p.a.threads.take_probe_messages().empty());
  CHECK(p.port("w1").peer().state(p.now) == nsm::SessionState::kHandshaking);
}

TEST(
    "echoes bring the link up, silence takes it down and starts a handshake, an echo brings it up "
    "again") {
  Pair p;
  p.establish();
  p.pass(kNsPerSecond, 9000);
  CHECK(p.events() == std::vector<int>({protocol::kSessionUp, protocol::kLinkQualityUp}) &&
        p.probes["w1"] > 3);
  p.pass(700 * kNsPerMs, 0);
  CHECK(p.events() == std::vector<int>{protocol::kLinkQualityDown});
  Fields fields;
  CHECK(fields.parse_any(View(p.last_event)).ok() &&
        fields.u16(protocol::kPeerPort) == Pair::address(p.b).port);
  CHECK(fields.text(protocol::kUnderlay) == kWireguardUnderlay && fields.has(protocol::kText));
  p.pass(kNsPerSecond, 9000);
  CHECK(p.events() == std::vector<int>{protocol::kLinkQualityUp});
}

TEST("a link that passes only shorter packets lowers the MTU of its wires and reports it") {
  Pair p;
  p.establish();
  p.pass(kNsPerSecond, 9000);
  p.events();
  p.pass(3 * kNsPerSecond, 1300);
  const std::vector<int> events = p.events();
  CHECK(!events.empty() && std::ranges::count(events, protocol::kPathMtuChanged) == std::ssize(events));
  MessageBuilder described = attributes();
  p.a.wireguard().link_quality().describe([] { return attributes(); },
                                          [&](MessageBuilder&& reply) { described = std::move(reply); });
  const Reply reply(described);
  const std::uint32_t mtu_bytes = reply.fields.u32(protocol::kMtuBytes).value_or(0);
  CHECK(mtu_bytes <= 1300 && mtu_bytes + 8 > 1300);
  CHECK(reply.fields.u8(protocol::kLinkVerdict) == protocol::kVerdictUp);
}

TEST("wires to one address share one link, whose probes travel in the session of one of them") {
  Pair p;
  p.a.set(wireguard_attributes(p.spec("w2", 5, 6)));
  p.establish();
  p.pass(kNsPerSecond, 9000);
  int links = 0;
  p.a.wireguard().link_quality().describe([] { return attributes(); }, [&](MessageBuilder&&) { links++; });
  CHECK(links == 1 && p.probes["w1"] <= 6);
  p.a.ports->remove("w1");
  p.a.ports->remove("w2");
  links = 0;
  p.a.wireguard().link_quality().describe([] { return attributes(); }, [&](MessageBuilder&&) { links++; });
  CHECK(links == 0);
}

TEST("a wire that the far node has forgotten goes down alone, whether or not it carries the probes") {
  for (const char* forgotten : {"w1", "w7"}) {
    Pair p;
    p.establish();
    p.add_wires(10);
    p.pass(kNsPerSecond, 9000);
    p.events();
    p.forgotten = {forgotten};
    p.pass(4 * kNsPerSecond, 9000);
    CHECK(std::ranges::count(p.events(), protocol::kLinkQualityDown) == 0);
    CHECK(p.lost == std::set<std::string>{forgotten});
    CHECK(p.port(forgotten).peer().verdict() == nsm::Verdict::kDown &&
          p.port(forgotten).peer().loss() == SessionLoss::kForgotten);
  }
}

TEST("one wire that works keeps the link up, however many the far node has forgotten") {
  Pair p;
  p.establish();
  p.add_wires(10);
  p.pass(kNsPerSecond, 9000);
  p.events();
  p.forgotten = {"w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9", "w11"};
  p.pass(10 * kNsPerSecond, 9000);
  p.events();
  CHECK(p.lost == p.forgotten);
  CHECK(p.port("w10").peer().verdict() == nsm::Verdict::kUp);
}

TEST("a far node that gives the address of another one does not take down the link of that one") {
  Pair p;
  p.establish();
  p.pass(kNsPerSecond, 9000);
  p.add_strays(30);
  p.events();
  p.pass(100 * kNsPerMs, 9000);
  p.pass(200 * kNsPerMs, 0);  // a probe is lost
  p.pass(3 * kNsPerSecond, 9000);
  CHECK(std::ranges::count(p.events(), protocol::kLinkQualityDown) == 0);
  CHECK(p.port("w1").peer().verdict() == nsm::Verdict::kUp);
}

TEST("a far node that gives the address of another one does not speak for it while that one has no session") {
  Pair p;
  p.establish();
  p.pass(kNsPerSecond, 9000);
  p.now.boot_ns += 175 * kNsPerSecond;
  p.add_strays(30);
  p.now.boot_ns += 10 * kNsPerSecond;  // too old now: only the sessions of the strays are left
  CHECK(p.port("w1").peer().state(p.now) != nsm::SessionState::kEstablished);
  p.events();
  p.pass(3 * kNsPerSecond, 9000);
  CHECK(std::ranges::count(p.events(), protocol::kLinkQualityDown) == 0);
  p.establish("w1");
  p.events();
  p.pass(kNsPerSecond, 9000);
  const std::vector<int> events = p.events();
  CHECK(std::ranges::count(events, protocol::kLinkQualityUp) == 1);
  CHECK(std::ranges::count(events, protocol::kLinkQualityDown) == 0);
}

TEST("a dead link whose address another far node gives, too, goes down all the same") {
  Pair p;
  p.establish();
  p.pass(kNsPerSecond, 9000);
  p.add_strays(30);
  p.events();
  p.pass(kNsPerSecond, 0);
  CHECK(std::ranges::count(p.events(), protocol::kLinkQualityDown) == 1);
}

TEST("a wire of the node that is there brings the link up, however many of another one were there first") {
  Pair p;
  p.add_strays(4);
  p.pass(3 * kNsPerSecond, 9000);
  p.events();
  p.establish("w1");
  p.pass(3 * kNsPerSecond, 9000);
  const std::vector<int> events = p.events();
  CHECK(std::ranges::count(events, protocol::kLinkQualityUp) == 1);
  CHECK(std::ranges::count(events, protocol::kLinkQualityDown) == 0);
}

TEST("a dead link takes no session for a forgotten one") {
  Pair p;
  p.establish();
  p.add_wires(10);
  p.pass(kNsPerSecond, 9000);
  p.events();
  p.pass(3 * kNsPerSecond, 0);
  CHECK(p.events() == std::vector<int>{protocol::kLinkQualityDown} && p.lost.empty());
  p.pass(kNsPerSecond, 9000);
  CHECK(p.events() == std::vector<int>{protocol::kLinkQualityUp} && p.lost.empty());
}

TEST("sessions that work are all checked, five a second") {
  Pair p;
  p.establish();
  p.add_wires(10);
  p.pass(3 * kNsPerSecond, 9000);
  CHECK(p.probes.size() == 11);
  int checks = 0;
  for (const auto& [id, probes] : p.probes) checks += id == "w1" ? 0 : probes;
  CHECK(checks >= 10 && checks <= 16);
}

TEST("a probe from the far side is echoed") {
  Pair p;
  p.establish();
  p.a.threads.take_probe_messages();
  const ProbeMessage probe{ProbeMessageKind::kProbe, 77, 5, 1000};
  p.a.wireguard().on_note({0, ProbeNote{p.port("w1").peer().tag(), probe}}, p.now);
  const auto sent = p.a.threads.take_probe_messages();
  CHECK(sent.size() == 1 && sent[0].message.kind == ProbeMessageKind::kEcho &&
        sent[0].message.sequence == 77 && sent[0].message.bytes == 1000);
}

TEST("a peer that does not understand probe messages is not probed") {
  Pair p;
  WireguardSpec plain = p.spec("w1", 3, 4);
  plain.probe_messages = false;
  CHECK(p.a.set(wireguard_attributes(plain)).ok());
  p.port("w1").peer().want_session(p.now);
  p.receive(p.b);
  p.receive(p.a);
  CHECK(p.port("w1").peer().state(p.now) == nsm::SessionState::kEstablished);
  p.pass(kNsPerSecond, 9000);
  CHECK(p.probes.empty());
}

}  // namespace
}  // namespace nsm::test
