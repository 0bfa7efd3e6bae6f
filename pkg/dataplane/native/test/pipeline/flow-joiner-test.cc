// The flow joiner: packets of a flow are joined into one write, and their order is kept.
#include "pipeline/flow-joiner.h"

#include <map>

#include "core/ethernet.h"
#include "fakes.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

// Consecutive packets of a flow.
struct Train {
  explicit Train(std::uint16_t source_port) { spec.source_port = source_port; }
  Packet& next() {
    packets.push_back(make_packet(spec));
    spec.sequence += static_cast<std::uint32_t>(spec.payload);
    spec.ip_id++;
    return packets.back();
  }
  PacketSpec spec = {.payload = 100};
  std::vector<Packet> packets = [] {
    std::vector<Packet> room;
    room.reserve(100);  // so that the packets never move
    return room;
  }();
};

void add(FlowJoiner& joiner, FakeDevice& device, Packet& packet) {
  joiner.add(device, packet, *parse_inner_ip(packet));
}

TEST("nothing is written before flush, which writes all added packets as one super-packet") {
  FlowJoiner joiner;
  FakeDevice device;
  Train train(1000);
  for (int i = 0; i < 10; i++) add(joiner, device, train.next());
  CHECK(device.take().empty());
  joiner.flush();
  const auto written = device.take();
  CHECK(written.size() == 1 && written.at(0).packets == 10 && written.at(0).header.gso_bytes == 100);
  joiner.flush();
  CHECK(device.take().empty());
}

TEST("interleaved flows are joined separately") {
  FlowJoiner joiner;
  FakeDevice device;
  Train a(1000), b(1001);
  for (int i = 0; i < 10; i++) {
    add(joiner, device, a.next());
    add(joiner, device, b.next());
  }
  joiner.flush();
  const auto written = device.take();
  CHECK(written.size() == 2 && written.at(0).packets == 10 && written.at(1).packets == 10);
}

TEST("with more flows than can be joined at once, no packet is lost and each flow keeps its order") {
  FlowJoiner joiner;
  FakeDevice device;
  std::vector<Train> trains;
  for (std::uint16_t port = 0; port < 40; port++) trains.emplace_back(port);
  for (int i = 0; i < 5; i++)
    for (Train& train : trains) add(joiner, device, train.next());
  joiner.flush();
  std::map<std::uint16_t, std::uint32_t> next_sequence;
  std::size_t packets = 0;
  for (const auto& written : device.take()) {
    const std::uint32_t sequence = load_be32(&written.bytes[24]);
    std::uint32_t& expected = next_sequence.try_emplace(load_be16(&written.bytes[20]), 1).first->second;
    CHECK(sequence == expected);
    expected += static_cast<std::uint32_t>(written.packets * 100);
    packets += written.packets;
  }
  CHECK(packets == 200 && next_sequence.size() == 40);
}

TEST("packets of one flow for another device are not joined") {
  FlowJoiner joiner;
  FakeDevice left, right;
  Train train(1000);
  add(joiner, left, train.next());
  add(joiner, right, train.next());
  joiner.flush();
  CHECK(left.take().size() == 1 && right.take().size() == 1);
}

TEST("UDP packets are joined only if the device supports USO") {
  for (const bool takes_uso : {true, false}) {
    FlowJoiner joiner;
    FakeDevice device(takes_uso);
    Train train(1000);
    train.spec.tcp = false;
    for (int i = 0; i < 4; i++) add(joiner, device, train.next());
    joiner.flush();
    CHECK(device.take().size() == (takes_uso ? 1 : 4));
  }
}

TEST("a frame that is not IP is written at once, and frames of one flow are joined") {
  FlowJoiner joiner;
  FakeDevice device;
  Packet arp(60, 0);
  store_be16(arp.data() + kEtherTypeAt, 0x0806);
  joiner.add_frame(device, arp);
  CHECK(device.take().at(0).bytes == arp);
  Train train(1000);
  std::vector<Packet> frames;
  for (int i = 0; i < 3; i++) {
    Packet frame(kEthernetBytes, 2);
    store_be16(frame.data() + kEtherTypeAt, kEtherTypeIpv4);
    const Packet& packet = train.next();
    frame.insert(frame.end(), packet.begin(), packet.end());
    frames.push_back(frame);
  }
  for (Packet& frame : frames) joiner.add_frame(device, frame);
  joiner.flush();
  const auto written = device.take();
  CHECK(written.size() == 1 && written.at(0).packets == 3);
}

}  // namespace
}  // namespace nsm::test
