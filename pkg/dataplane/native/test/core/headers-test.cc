// Small codecs: VXLAN, data messages, padding, timestamps, checksums.
#include "check.h"
#include "core/checksum.h"
#include "core/messages.h"
#include "core/vxlan.h"
#include "packets.h"
#include "seeded-random.h"

namespace nsm::test {
namespace {

TEST("a VXLAN header is 8 bytes as in RFC 7348, and every VNI survives the round trip") {
  std::array<std::uint8_t, 30> datagram;
  for (const std::uint32_t vni : {0u, 1u, 0x123456u, kVniMax}) {
    datagram.fill(0xaa);
    write_vxlan_header(std::span(datagram).first<8>(), vni);
    CHECK(datagram[0] == 0x08 && datagram[1] == 0 && datagram[3] == 0 && datagram[7] == 0 &&
          datagram[8] == 0xaa);
    CHECK(read_vxlan_header(datagram)->vni == vni && read_vxlan_header(datagram)->is_vxlan());
  }
}

TEST("VXLAN without I, with other flags, or without a following Ethernet header is refused") {
  std::array<std::uint8_t, 22> datagram = {};
  write_vxlan_header(std::span(datagram).first<8>(), 5);
  CHECK(read_vxlan_header(datagram)->vni == 5u);
  for (std::size_t size = 0; size < datagram.size(); size++)
    CHECK(!read_vxlan_header(ConstBytes(datagram).first(size)));
  for (int flags = 0; flags < 256; flags++) {
    datagram[0] = static_cast<std::uint8_t>(flags);
    CHECK(read_vxlan_header(datagram)->is_vxlan() == (flags == 0x08));
  }
  datagram[0] = 0x08;
  datagram[2] = datagram[7] = 0xff;  // reserved fields, ignored on receipt
  CHECK(read_vxlan_header(datagram)->vni == 5u);
}

TEST("a data header survives the round trip, and a message shorter than a keepalive is refused") {
  std::array<std::uint8_t, 32> datagram = {};
  write_data_header(std::span(datagram).first<16>(), {0x12345678, 0x0102030405060708});
  const auto read = read_data_header(datagram);
  CHECK(read && read->receiver == 0x12345678 && read->counter == 0x0102030405060708);
  CHECK(datagram[4] == 0x78 && datagram[8] == 0x08);
  for (std::size_t size = 0; size < 32; size++) CHECK(!read_data_header(ConstBytes(datagram).first(size)));
  for (std::size_t at = 0; at < 4; at++) {
    auto bad = datagram;
    bad[at] ^= 1;
    CHECK(!read_data_header(bad));
  }
}

TEST("packets are padded to a multiple of 16, but never beyond the MTU") {
  for (std::size_t bytes = 0; bytes <= 1420; bytes++) {
    const std::size_t padded = padded_bytes(bytes, 1420);
    CHECK(padded >= bytes && padded <= 1420 && (padded % 16 == 0 || padded == 1420));
  }
  CHECK(padded_bytes(0, 1420) == 0 && padded_bytes(1, 1420) == 16 && padded_bytes(1409, 1420) == 1420);
}

TEST("TAI64N grows with the clock, in steps of 2^24 ns, and later_than always increases it") {
  const std::uint64_t second = 1'700'000'000;
  const Timestamp stamp = tai64n(second * kNsPerSecond + 999'999'999);
  CHECK(load_be64(stamp.data()) == (1ull << 62) + 10 + second &&
        load_be32(stamp.data() + 8) % (1u << 24) == 0);
  CHECK(tai64n(5) == tai64n((1u << 24) - 1) && tai64n(1u << 24) > tai64n(0));
  Timestamp last = stamp;
  last[11] = last[10] = 0xff;
  const Timestamp next = later_than(last, stamp);
  CHECK(next > last && next[11] == 0 && next[10] == 0);
  CHECK(later_than(stamp, tai64n((second + 1) * kNsPerSecond)) == tai64n((second + 1) * kNsPerSecond));
}

TEST("checksums equal the word-by-word model at every length") {
  SeededRandom random(6);
  for (std::size_t size = 0; size < 66'000; size += size < 600 ? 1 : 997) {
    Packet data(size);
    random.fill(data);
    if (size % 3 == 0) std::fill(data.begin(), data.end(), 0xff);
    std::uint8_t stored[2];
    store_le(stored, static_cast<std::uint16_t>(~checksum_fold(checksum_add(0, data))));
    CHECK(load_be16(stored) == naive_checksum(data));
  }
}

}  // namespace
}  // namespace nsm::test
