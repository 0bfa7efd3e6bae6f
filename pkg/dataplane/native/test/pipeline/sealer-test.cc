// The sealer: its data messages, as the far side of the session decrypts them.
#include "pipeline/sealer.h"

#include "sealed.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

constexpr std::uint64_t kNowNs = 1000 * kNsPerSecond;
constexpr std::uint32_t kIndex = 0x01020304;
const AeadSuite kSuite;

std::unique_ptr<AeadKey> new_key() { return kSuite.make_key(AeadAlgorithm::kAes256Gcm, SecretKey()); }

std::unique_ptr<SendKey> send_key(std::uint64_t next_counter = 0) {
  auto key = std::make_unique<SendKey>();
  key->key = new_key();
  key->remote_index = kIndex;
  key->created_ns = kNowNs;
  key->next_counter = next_counter;
  return key;
}

struct Sealing {
  Sealing() { sealer.use_key(send_key()); }
  void add(const Packet& packet, Payload payload = Payload::kIp, std::size_t most_bytes = 1420) {
    const auto segments = GsoPacket::parse({}, packet, 0);
    sealer.add_segment(*segments, 0, {batch, payload, most_bytes});
  }
  // Takes the messages out of the batch.
  std::vector<Packet> finish() {
    sealer.finish(batch);
    std::vector<Packet> messages;
    for (const Datagram& datagram : batch.datagrams())
      messages.emplace_back(datagram.data, datagram.data + datagram.bytes);
    batch.reset();
    return messages;
  }
  DatagramBatch batch;
  Sealer sealer;
};

TEST("a packet becomes a data message with the peer's index, zero-padded to a multiple of 16") {
  Sealing s;
  const Packet packet = make_packet({.payload = 101});
  s.add(packet);
  const Packet message = s.finish().at(0);
  const auto address = read_data_header(message);
  CHECK(address && address->receiver == kIndex && address->counter == 0);
  auto plaintext = opened(*new_key(), message);
  if (!CHECK(plaintext && plaintext->size() == (packet.size() + 15) / 16 * 16)) return;
  CHECK(std::all_of(plaintext->begin() + static_cast<std::ptrdiff_t>(packet.size()), plaintext->end(),
                    [](auto byte) { return byte == 0; }));
  plaintext->resize(packet.size());
  CHECK(*plaintext == packet);
}

TEST("padding does not exceed the wire's MTU") {
  Sealing s;
  const Packet packet = make_packet({.payload = 1368});  // 1420 bytes
  s.add(packet);
  CHECK(opened(*new_key(), s.finish().at(0)) == packet);
}

TEST("a frame is preceded by its length") {
  Sealing s;
  const Packet frame(61, 0xab);
  s.add(frame, Payload::kEthernet);
  auto plaintext = opened(*new_key(), s.finish().at(0));
  if (!CHECK(plaintext && plaintext->size() == 64)) return;
  const auto read = read_frame(*plaintext);
  CHECK(read && Packet(read->begin(), read->end()) == frame);
}

TEST("counters are consecutive across batches of any length") {
  Sealing s;
  std::uint64_t expected = 0;
  for (const int count : {1, 11, 12, 13, 24, 100}) {
    for (int i = 0; i < count; i++) s.add(make_packet({.sequence = static_cast<std::uint32_t>(i)}));
    const auto messages = s.finish();
    CHECK(messages.size() == static_cast<std::size_t>(count));
    for (const Packet& message : messages) {
      CHECK(read_data_header(message)->counter == expected++);
      CHECK(opened(*new_key(), message).has_value());
    }
    CHECK(s.sealer.sealed() == expected);
  }
}

TEST("a keepalive is a data message with an empty plaintext") {
  Sealing s;
  s.sealer.add_keepalive(s.batch);
  const Packet message = s.finish().at(0);
  CHECK(message.size() == kDataOverheadBytes && opened(*new_key(), message) == Packet());
}

TEST("a probe has the requested length, an echo the shortest one") {
  Sealing s;
  const ProbeMessage probe{ProbeMessageKind::kProbe, 7, 8, 1419}, echo{ProbeMessageKind::kEcho, 7, 8, 1419};
  s.sealer.add_probe_message(probe, s.batch);
  s.sealer.add_probe_message(echo, s.batch);
  const auto messages = s.finish();
  CHECK(messages.at(0).size() == 1419 + kDataOverheadBytes);
  CHECK(messages.at(1).size() == kProbeMessageBytes + kDataOverheadBytes);
  CHECK(read_probe_message(*opened(*new_key(), messages[0])) == probe);
  CHECK(read_probe_message(*opened(*new_key(), messages[1])) == echo);
}

TEST("a key is usable as long as it has enough counters for a whole batch") {
  Sealer sealer;
  CHECK(!sealer.has_usable_key(kNowNs) && sealer.sealed() == 0);
  sealer.use_key(send_key());
  CHECK(sealer.has_usable_key(kNowNs) && !sealer.has_usable_key(kNowNs + kRejectAfterNs));
  sealer.use_key(send_key(kRejectAfterMessages - DatagramBatch::kDatagrams));
  CHECK(sealer.has_usable_key(kNowNs));
  sealer.use_key(send_key(kRejectAfterMessages - DatagramBatch::kDatagrams + 1));
  CHECK(!sealer.has_usable_key(kNowNs));
  sealer.use_key(nullptr);
  CHECK(!sealer.has_usable_key(kNowNs));
}

TEST("a batch is full at 128 datagrams or when its memory is used up") {
  DatagramBatch batch;
  CHECK(batch.empty() && !batch.has_room(DatagramBatch::kBytes + 1));
  while (batch.has_room(1400)) batch.commit(1400);
  CHECK(batch.datagrams().size() == DatagramBatch::kDatagrams);
  batch.reset();
  while (batch.has_room(60'000)) batch.commit(60'000);
  CHECK(batch.datagrams().size() == 3 && batch.has_room(10'000));
  CHECK(batch.datagrams()[1].data == batch.datagrams()[0].data + 60'000);
}

}  // namespace
}  // namespace nsm::test
