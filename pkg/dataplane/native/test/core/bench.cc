// core-bench: the cost of the core's operations. Run it by hand, on an idle machine.
#include <chrono>
#include <cstdio>

#include "core/checksum.h"
#include "core/gro.h"
#include "core/gso.h"
#include "core/messages.h"
#include "core/tai64n.h"
#include "packets.h"
#include "world.h"

namespace nsm::test {
namespace {

constexpr std::uint32_t kPacketBytes = 1424;  // 1420 bytes padded to a multiple of 16
constexpr std::size_t kBatch = 32;

// Runs `work` for about 0.2 s and returns ns per call.
template <typename Work>
double measure(Work work) {
  using Clock = std::chrono::steady_clock;
  for (int i = 0; i < 3; i++) work();
  std::uint64_t calls = 0;
  const auto start = Clock::now();
  double spent = 0;
  while (spent < 2e8) {
    work();
    calls++;
    spent = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
  }
  return spent / static_cast<double>(calls);
}

void bench_aead(const AeadImplementation& by, AeadAlgorithm algorithm) {
  const auto key = by.make_key(algorithm, SecretKey());
  std::vector<Packet> packets(kBatch, Packet(kPacketBytes + kTagBytes));
  std::vector<AeadJob> jobs;
  for (auto& p : packets) jobs.push_back({p.data(), kPacketBytes, jobs.size(), false});
  const double seal = measure([&] { key->seal(jobs); }) / kBatch;
  const double open = measure([&] { key->open(jobs); }) / kBatch;
  std::printf("%-10s %-18s seal %5.0f ns  open %5.0f ns  a packet of %u bytes\n",
              std::string(by.name()).c_str(), std::string(aead_name(algorithm)).c_str(), seal, open,
              kPacketBytes);
}

// A handshake that a initiates; returns how long b takes from the initiation to the response, in ns.
double answer(World& w) {
  using Clock = std::chrono::steady_clock;
  w.now.boot_ns += 50 * kNsPerMs;
  w.now.realtime_ns += 50 * kNsPerMs;
  w.to_b->rehandshake(w.now);
  const Datagram initiation = w.a->outbox.back();
  w.a->outbox.pop_back();
  const auto start = Clock::now();
  w.b->take(initiation, w.now);
  const double spent = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
  w.deliver();
  w.seen.clear();
  return spent;
}

void bench_handshakes() {
  World w;
  w.connect();
  w.establish();
  double answering = 0;
  int count = 0;
  const double whole = measure([&] {
    answering += answer(w);
    count++;
  });
  answering /= count;
  std::printf("handshake, both sides  %.1f us  (%.0f a second)\n", whole / 1e3, 1e9 / whole);
  std::printf("handshake, answered    %.1f us  (%.0f a second)\n", answering / 1e3, 1e9 / answering);
  Packet junk(sizeof(Initiation), 0x5a);
  junk[0] = 1, junk[1] = junk[2] = junk[3] = 0;
  const double reject = measure([&] { w.b->machine.receive(junk, w.a->at, w.now); });
  std::printf("mac1 reject            %.0f ns  (%.0f a second)\n", reject, 1e9 / reject);
  MessageStamper stamper(w.b->suite.preferred(), w.b->machine.public_key());
  stamper.stamp(junk, w.now);
  w.b->machine.under_load(w.now);
  const double cookie = measure([&] {
    w.b->machine.receive(junk, w.a->at, w.now);
    w.b->outbox.clear();
  });
  std::printf("cookie reply           %.0f ns  (%.0f a second)\n", cookie, 1e9 / cookie);
}

void bench_segments() {
  PacketSpec s = {.payload = 60000};
  const Packet super = make_packet(s);
  VnetHeader header;
  header.flags = kVnetNeedsChecksum;
  header.gso_type = kGsoTcp4;
  header.gso_bytes = 1368;
  header.csum_start = 20;
  header.csum_offset = 16;
  const auto parsed = GsoPacket::parse(header, super, 0);
  Packet out(parsed->segment_bytes());
  const auto count = static_cast<double>(parsed->segments());
  const double split = measure([&] {
    for (std::size_t i = 0; i < parsed->segments(); i++) parsed->write(i, out);
  });
  std::printf("gso split              %.0f ns a segment of %zu bytes\n", split / count, out.size());
  std::vector<Packet> train;
  for (std::size_t i = 0; i < parsed->segments(); i++) {
    train.emplace_back(parsed->segment_bytes());
    train.back().resize(parsed->write(i, train.back()));
  }
  GroPacket gro;
  const Packet first = train[0];
  const double join = measure([&] {
    gro.reset();
    std::copy(first.begin(), first.begin() + 60, train[0].begin());
    for (Packet& p : train) gro.add({p, 0, true});
    gro.finish();
  });
  std::printf("gro join               %.0f ns a segment, %zu in one\n", join / count, gro.pieces().size());
}

}  // namespace
}  // namespace nsm::test

int main() {
  using namespace nsm::test;
  const nsm::AeadSuite suite;
  for (const auto& by : suite.implementations())
    for (const auto algorithm : {nsm::AeadAlgorithm::kChaCha20Poly1305, nsm::AeadAlgorithm::kAes256Gcm})
      bench_aead(*by, algorithm);
  bench_handshakes();
  bench_segments();
}
