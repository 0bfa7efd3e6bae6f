// The dispatch of datagrams on a WireGuard underlay.
#include "pipeline/wireguard-dispatch.h"

#include "core/cookie.h"
#include "fakes.h"
#include "test/core/check.h"
#include "test/core/seeded-random.h"

namespace nsm::test {
namespace {

const SocketAddress kFrom = address4(0xc0000201, 51820);
constexpr Key kNodeKey = {1, 2, 3};

struct Underlay {
  void take(Packet datagram) { dispatch.take(datagram, {kFrom, 1}); }
  std::uint64_t at(Rx name) const { return engine.rx.at(name); }

  Counters engine;
  FakeNotes notes;
  FlowJoiner joiner;
  Opener opener{{engine, notes, joiner}};
  WireguardDispatch dispatch{9, kNodeKey, {{engine, notes, joiner}, opener}};
};

template <typename Message>
Packet bytes() {
  const auto message = make_message<Message>();
  return {bytes_of(message).begin(), bytes_of(message).end()};
}

Packet initiation_for(const Key& key) {
  Packet initiation = bytes<Initiation>();
  const Mac mac1 = blake2s_mac(mac1_key(key), before_mac1(initiation));
  std::copy(mac1.begin(), mac1.end(), initiation.end() - 2 * kMacBytes);
  return initiation;
}

TEST("handshake messages are noted with their bytes, source address and underlay number") {
  Underlay u;
  for (const Packet& message : {initiation_for(kNodeKey), bytes<Response>(), bytes<CookieReply>()}) {
    u.take(message);
    const auto notes = u.notes.take();
    const auto* const note = notes.size() == 1 ? std::get_if<HandshakeNote>(&notes[0].what) : nullptr;
    if (!CHECK(note != nullptr)) continue;
    CHECK(notes[0].underlay == 9 && note->from == kFrom);
    CHECK(Packet(note->datagram().begin(), note->datagram().end()) == message);
  }
}

TEST("an initiation with a wrong mac1 is dropped right away") {
  Underlay u;
  u.take(initiation_for(Key{4, 5, 6}));
  CHECK(u.notes.take().empty() && u.at(Rx::bad_mac1) == 1);
}

TEST("handshakes without room in the notes are counted") {
  Underlay u;
  for (std::size_t i = 0; i < FakeNotes::kCapacity + 2; i++) u.take(bytes<Response>());
  CHECK(u.notes.take().size() == FakeNotes::kCapacity && u.at(Rx::queue_full) == 2);
}

TEST("a data message goes to the opener, which finds its session by receiver index") {
  Underlay u;
  Packet data(kDataOverheadBytes);
  write_data_header(std::span<std::uint8_t, kDataHeaderBytes>(data.data(), kDataHeaderBytes), {7, 0});
  u.take(data);
  CHECK(u.at(Rx::unknown_index) == 1 && u.notes.take().empty());
}

TEST("any other type, length or reserved byte, and an empty datagram, are malformed") {
  Underlay u;
  std::uint64_t expected = 0;
  for (const Packet& message : {initiation_for(kNodeKey), bytes<Response>(), bytes<CookieReply>()}) {
    for (std::size_t size = 0; size < message.size(); size++, expected++)
      u.take({message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size)});
    for (std::size_t reserved = 1; reserved < 4; reserved++, expected++) {
      Packet odd = message;
      odd[reserved] = 1;
      u.take(odd);
    }
  }
  for (std::size_t size = 4; size < kDataOverheadBytes; size++, expected++) {
    Packet data(size);
    data[0] = 4;
    u.take(data);
  }
  CHECK(u.at(Rx::malformed) == expected && u.notes.take().empty());
}

}  // namespace
}  // namespace nsm::test
