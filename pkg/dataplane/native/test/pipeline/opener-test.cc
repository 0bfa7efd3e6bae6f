// The opener: data messages are decrypted in order, each counted once, none delivered twice.
#include "pipeline/opener.h"

#include <deque>

#include "fakes.h"
#include "sealed.h"
#include "test/core/check.h"
#include "test/core/seeded-random.h"

namespace nsm::test {
namespace {

constexpr std::uint64_t kNowNs = 1000 * kNsPerSecond;
constexpr std::uint32_t kIndex = 7;
const AeadSuite kSuite;
const SocketAddress kFrom = address4(0xc0000201, 51820);

// One wireguard port of IP packets with one session, and the far side of it.
struct Session {
  Session() {
    port.tag = 5;
    port.underlay = 3;
    port.device = &device;
    port.activity = &activity;
    port.hold = &hold;
    port.path_mtu = &path_mtu;
    port.rules = std::make_unique<InnerRules>();
    port.rules->local.add({.family = 4, .length = 0});
    port.rules->remote.add({.family = 4, .length = 0});
    port.endpoint = kFrom;
    install(kIndex);
  }
  void install(std::uint32_t index, bool awaits_confirmation = false) {
    auto key = std::make_unique<ReceiveKey>();
    key->key = kSuite.make_key(AeadAlgorithm::kChaCha20Poly1305, SecretKey());
    key->local_index = index;
    key->created_ns = kNowNs;
    key->awaits_confirmation = awaits_confirmation;
    key->saved_counter = &saved_counter;
    opener.install(port, std::move(key));
  }
  // Passes the next message of the far side to the opener; its bytes stay valid.
  void receive(const Packet& plaintext, const SocketAddress& from = kFrom) {
    messages.push_back(sealed(*far_key, {kIndex, next_counter++}, plaintext));
    take(messages.back(), from);
  }
  void take(Packet& message, const SocketAddress& from = kFrom) {
    opener.add(*read_data_header(message), message, {from, kNowNs});
  }
  std::vector<FakeDevice::Written> flush(std::uint64_t now_ns = kNowNs) {
    opener.flush(now_ns);
    joiner.flush();
    return device.take();
  }
  std::uint64_t at(Rx name) const { return counters.rx.at(name); }

  Counters engine, counters;
  FakeNotes notes;
  FlowJoiner joiner;
  FakeDevice device;
  Activity activity;
  std::atomic<bool> hold{false};
  std::atomic<std::uint32_t> path_mtu{65535};
  std::atomic<std::uint64_t> saved_counter{0};
  WireguardIngress port{counters};
  Opener opener{{engine, notes, joiner}};
  std::unique_ptr<AeadKey> far_key = kSuite.make_key(AeadAlgorithm::kChaCha20Poly1305, SecretKey());
  std::uint64_t next_counter = 0;
  std::deque<Packet> messages;
};

Packet packet_number(std::uint32_t number) {
  return make_packet({.source_port = 9, .sequence = number * 50, .payload = 40});
}

TEST("messages are delivered in order, after their counter was saved") {
  Session s;
  for (std::uint32_t i = 0; i < 40; i++) s.receive(packet_number(i));
  const auto written = s.flush();
  CHECK(written.size() == 40 && s.at(Rx::packets) == 40 && s.saved_counter == 40);
  for (std::uint32_t i = 0; i < written.size(); i++) CHECK(written[i].bytes == packet_number(i));
  CHECK(s.activity.last_data_received_ns == kNowNs && s.flush().empty());
}

TEST("a message with an unknown receiver index is counted for the engine, not for a port") {
  Session s;
  Packet message = sealed(*s.far_key, {kIndex + 1, 0}, packet_number(0));
  s.take(message);
  CHECK(s.flush().empty() && s.engine.rx.at(Rx::unknown_index) == 1);
  s.opener.drop(kIndex);
  s.receive(packet_number(0));
  CHECK(s.flush().empty() && s.engine.rx.at(Rx::unknown_index) == 2);
}

TEST("replayed and modified messages in a batch with valid ones are counted and not delivered") {
  Session s;
  s.receive(packet_number(0));
  Packet again = s.messages.back(), damaged = sealed(*s.far_key, {kIndex, 9}, packet_number(9));
  damaged.back() ^= 1;
  s.take(again);
  s.take(damaged);
  s.receive(packet_number(1));
  CHECK(s.flush().size() == 2 && s.at(Rx::replay) == 1 && s.at(Rx::auth_failed) == 1);
}

TEST("an expired key decrypts nothing") {
  Session s;
  s.receive(packet_number(0));
  CHECK(s.flush(kNowNs + kRejectAfterNs).empty() && s.at(Rx::expired) == 1 && s.at(Rx::packets) == 0);
}

TEST("a keepalive is counted, delivers nothing, and is not activity of data") {
  Session s;
  s.receive({});
  CHECK(s.flush().empty() && s.at(Rx::keepalives) == 1 && s.at(Rx::packets) == 1);
  CHECK(s.activity.last_received_ns == kNowNs && s.activity.last_data_received_ns == 0);
}

TEST("the first message of a session that we responded to is noted once, and confirms the sending key") {
  Session s;
  s.install(kIndex, true);
  s.receive(packet_number(0));
  s.receive(packet_number(1));
  CHECK(s.flush().size() == 2 && s.hold);
  const auto notes = s.notes.take();
  const auto* const note = notes.size() == 1 ? std::get_if<ConfirmNote>(&notes[0].what) : nullptr;
  CHECK(note && notes[0].underlay == 3 && note->port == 5 && note->local_index == kIndex &&
        note->from == kFrom);
}

TEST("a confirmation without room in the notes is noted with the next message") {
  Session s;
  s.install(kIndex, true);
  while (s.notes.push({})) continue;
  s.receive(packet_number(0));
  CHECK(s.flush().size() == 1 && !s.hold);
  s.notes.take();
  s.receive(packet_number(1));
  CHECK(s.flush().size() == 1 && s.hold && s.notes.take().size() == 1);
}

TEST("a new source address is noted on a roaming port, and only when it changes") {
  const SocketAddress moved = address4(0xc0000299, 4000);
  Session s;
  s.receive(packet_number(0), moved);
  CHECK(s.flush().size() == 1 && s.notes.take().empty());  // a pinned port
  s.port.roaming = true;
  for (std::uint32_t i = 1; i < 3; i++) {
    s.receive(packet_number(i), moved);
    s.flush();
  }
  const auto notes = s.notes.take();
  CHECK(notes.size() == 1 && std::get_if<MovedNote>(&notes.at(0).what)->from == moved);
}

TEST("probe messages are noted if both ends agreed on them, and are not activity of data") {
  Packet plaintext(100);
  write_probe_message({ProbeMessageKind::kProbe, 1, 2, 100}, plaintext);
  Session s;
  s.receive(plaintext);
  CHECK(s.flush().empty() && s.at(Rx::malformed) == 1);  // not agreed: it is not an IP packet
  s.port.probe_messages.set(true);
  s.receive(plaintext);
  s.flush();
  const auto notes = s.notes.take();
  CHECK(notes.size() == 1 && std::get_if<ProbeNote>(&notes.at(0).what)->message.bytes == 100);
  CHECK(s.activity.last_data_received_ns == kNowNs);  // the time of the first one
  plaintext[7] = 9;
  s.receive(plaintext);
  CHECK(s.flush().empty() && s.notes.take().empty() && s.at(Rx::malformed) == 2);
}

TEST("probe messages leave half of the room for notes to handshakes") {
  Session s;
  s.port.probe_messages.set(true);
  Packet plaintext(100);
  write_probe_message({ProbeMessageKind::kProbe, 1, 2, 100}, plaintext);
  for (std::size_t i = 0; i < FakeNotes::kCapacity; i++) s.receive(plaintext);
  s.flush();
  CHECK(s.notes.take().size() == FakeNotes::kCapacity / 2);
  CHECK(s.at(Rx::path_excess) == FakeNotes::kCapacity / 2);
}

TEST("more messages than fit into one batch are all delivered") {
  Session s;
  for (std::uint32_t i = 0; i < 3000; i++) s.receive({});
  s.flush();
  CHECK(s.at(Rx::keepalives) == 3000);
}

}  // namespace
}  // namespace nsm::test
