// GRO: packets of a flow that are joined, and then split as the kernel would, come out unchanged and
// in order.
#include "core/gro.h"

#include <deque>

#include "core/ethernet.h"
#include "core/gso.h"
#include "fuzzed-input.h"
#include "test/core/packets.h"

namespace {

using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using nsm::test::Packet;

struct Flow {  // the state of a flow
  std::uint32_t sequence = 0;
  std::uint16_t ip_id = 0;
};

// A packet that in most cases continues the flow.
Packet next_packet(FuzzedInput& input, Flow& flow) {
  const std::uint8_t shape = input.number<std::uint8_t>();
  if ((shape & 128) != 0) flow.sequence += input.number<std::int8_t>();
  const nsm::test::PacketSpec spec = {.v6 = (shape & 1) != 0,
                                      .tcp = (shape & 2) != 0,
                                      .sequence = flow.sequence,
                                      .flags = static_cast<std::uint8_t>((shape & 4) != 0 ? 0x18 : 0x10),
                                      .ip_id = flow.ip_id++,
                                      .payload = (shape & 8) != 0 ? 100 : input.below(1500),
                                      .dont_fragment = (shape & 16) != 0};
  flow.sequence += static_cast<std::uint32_t>(spec.payload);
  Packet packet = make_packet(spec);
  if ((shape & 32) != 0) nsm::fuzz::damage(input, packet);
  if ((shape & 64) != 0 && packet.size() > 60) nsm::test::finish_checksums(packet);
  return packet;
}

// On a TUN the packet has exactly its own length, on a TAP padding may follow. False: not an IP packet.
bool put_on_link(Packet& packet, bool tap) {
  const auto ip = nsm::parse_inner_ip(packet);
  if (!ip) return false;
  if (!tap) packet.resize(ip->total_bytes);
  if (tap) packet.insert(packet.begin(), nsm::kEthernetBytes, 0xee);
  return true;
}

class Joined {
 public:
  Joined(bool tap, bool udp) : offset_(tap ? nsm::kEthernetBytes : 0), udp_(udp) {}

  void add(const Packet& packet) {
    const nsm::GroPacket::Input input = {storage_.emplace_back(packet), offset_, udp_};
    if (gro_.add(input)) return;
    split();
    require(gro_.add(input));
  }

  void split() {
    if (gro_.empty()) return;
    const nsm::VnetHeader& header = gro_.finish();
    Packet whole;
    for (const nsm::Bytes piece : gro_.pieces()) whole.insert(whole.end(), piece.begin(), piece.end());
    const auto parsed = nsm::GsoPacket::parse(header, whole, offset_);
    require(parsed && parsed->segments() == gro_.pieces().size());
    for (std::size_t index = 0; index < parsed->segments(); index++) {
      Packet segment(parsed->segment_bytes());
      segment.resize(parsed->write(index, segment));
      out_.push_back(segment);
    }
    gro_.reset();
  }

  const std::vector<Packet>& out() const { return out_; }

 private:
  std::size_t offset_;
  bool udp_;
  nsm::GroPacket gro_;
  std::deque<Packet> storage_;  // joining modifies packets in place
  std::vector<Packet> out_;
};

// The packet without what may change: the id of a packet with DF, and which of the two
// representations of zero a one's complement checksum uses.
Packet comparable(Packet packet, std::size_t offset) {
  std::uint8_t* const ip = packet.data() + offset;
  if (ip[0] >> 4 == 4 && (ip[6] & 0x40) != 0) {
    const std::uint16_t sum = nsm::test::naive_checksum(Packet(ip, ip + (ip[0] & 15) * 4));
    nsm::store_be16(ip + 4, 0);
    nsm::store_be16(ip + 10, sum);
  }
  const auto transport = nsm::find_transport(nsm::ConstBytes(packet).subspan(offset));
  if (!transport || !transport->tcp) return packet;
  std::uint8_t* const field = ip + transport->checksum_at();
  if (nsm::load_be16(field) == 0xffff) nsm::store_be16(field, 0);
  return packet;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMostPackets = 80;
  FuzzedInput input(data, size);
  const bool tap = input.flag();
  Joined joined(tap, input.flag());
  Flow flow = {input.number<std::uint32_t>(), input.number<std::uint16_t>()};
  std::vector<Packet> in;
  for (int left = kMostPackets; left > 0 && !input.empty(); left--) {
    Packet packet = next_packet(input, flow);
    if (!put_on_link(packet, tap)) continue;
    in.push_back(packet);
    joined.add(packet);
  }
  joined.split();
  require(joined.out().size() == in.size());
  const std::size_t offset = tap ? nsm::kEthernetBytes : 0;
  for (std::size_t i = 0; i < in.size(); i++)
    require(comparable(joined.out()[i], offset) == comparable(in[i], offset));
  return 0;
}
