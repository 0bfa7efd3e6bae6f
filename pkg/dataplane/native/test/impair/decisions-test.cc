// The relay's decisions about datagrams: their frequency, and that they are repeatable.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/environment.h"
#include "link.h"
#include "test/core/check.h"

namespace nsm::test {
namespace {

using namespace impair;

constexpr int kDatagrams = 100'000;

std::string apply_line(const char* name, std::vector<std::string_view> values, Faults& faults) {
  values.insert(values.begin(), name);
  return set_fault(values, faults);
}

std::vector<Fate> fates(std::uint64_t seed, const Faults& faults, std::size_t bytes = 100) {
  Judge judge(seed);
  judge.faults() = faults;
  std::vector<Fate> out;
  for (int i = 0; i < kDatagrams; i++) out.push_back(judge.judge({bytes, 28, 0}));
  return out;
}

template <typename Claim>
double percent_of(const std::vector<Fate>& all, Claim claim) {
  return 100.0 * static_cast<double>(std::count_if(all.begin(), all.end(), claim)) / kDatagrams;
}

// Whether `seen` deviates from `percent` by less than five standard deviations.
bool is_near(double seen, double percent) {
  return std::abs(seen - percent) <= 5 * std::sqrt(percent * (100 - percent) / kDatagrams);
}

bool lost_randomly(const Fate& f) { return f.lost == Lost::kRandom; }

TEST("each fault occurs as often as configured") {
  Faults faults;
  faults.drop_percent = 5;
  faults.corrupt_percent = 1;
  faults.duplicate_percent = 5;
  faults.reorder_percent = 25;
  const auto all = fates(7, faults);
  const double arrive = 0.95;
  CHECK(is_near(percent_of(all, lost_randomly), 5));
  CHECK(is_near(percent_of(all, [](const Fate& f) { return f.flipped_bit.has_value(); }), 1 * arrive));
  CHECK(is_near(percent_of(all, [](const Fate& f) { return f.duplicate; }), 5 * arrive));
  CHECK(is_near(percent_of(all, [](const Fate& f) { return f.held_for > 0; }), 25 * arrive));
}

TEST("0 percent affects no datagram, and 100 percent affects every one") {
  const auto none = fates(1, {});
  CHECK(percent_of(none, [](const Fate& f) {
          return f.lost == Lost::kNot && !f.flipped_bit && !f.duplicate && f.held_for == 0 && f.delay_ns == 0;
        }) == 100);
  Faults all;
  all.drop_percent = 100;
  CHECK(percent_of(fates(1, all), lost_randomly) == 100);
}

TEST("the same seed gives the same decisions, another seed gives others") {
  Faults faults;
  faults.drop_percent = 50;
  const auto a = fates(3, faults), b = fates(3, faults), c = fates(4, faults);
  const auto same = [](const Fate& x, const Fate& y) { return x.lost == y.lost; };
  CHECK(std::equal(a.begin(), a.end(), b.begin(), same) && !std::equal(a.begin(), a.end(), c.begin(), same));
}

TEST("adding another fault does not change which datagrams are lost") {
  Faults alone, beside;
  alone.drop_percent = beside.drop_percent = 10;
  beside.corrupt_percent = beside.duplicate_percent = beside.reorder_percent = 30;
  const auto a = fates(5, alone), b = fates(5, beside);
  CHECK(std::equal(a.begin(), a.end(), b.begin(), [](auto& x, auto& y) { return x.lost == y.lost; }));
}

TEST("bursts are as long as configured") {
  Faults faults;
  faults.burst_percent = 1;
  faults.burst_length = 10;
  int length = 0;
  std::map<int, int> lengths;
  for (const Fate& fate : fates(2, faults)) {
    if (fate.lost == Lost::kBurst)
      length++;
    else if (length > 0)
      lengths[std::exchange(length, 0)]++;
  }
  CHECK(lengths[10] > 500 &&
        std::all_of(lengths.begin(), lengths.end(), [](auto& l) { return l.first % 10 == 0; }));
}

TEST("every bit can be flipped, and every reordering depth occurs") {
  Faults faults;
  faults.corrupt_percent = faults.reorder_percent = 100;
  faults.reorder_depth = 1000;
  std::map<std::size_t, int> bits;
  std::uint64_t deepest = 0, least = 2000;
  for (const Fate& fate : fates(2, faults, 4)) {
    bits[*fate.flipped_bit]++;
    deepest = std::max(deepest, fate.held_for);
    least = std::min(least, fate.held_for);
  }
  CHECK(bits.size() == 32 && deepest == 1000 && least == 1);
}

TEST("an MTU black hole drops datagrams whose IP packet is too long") {
  Faults faults;
  faults.mtu_bytes = 1300;
  CHECK(percent_of(fates(1, faults, 1272), [](const Fate& f) { return f.lost == Lost::kNot; }) == 100);
  CHECK(percent_of(fates(1, faults, 1273), [](const Fate& f) { return f.lost == Lost::kTooBig; }) == 100);
}

TEST("delay and jitter stay within their bounds") {
  Faults faults;
  CHECK(apply_line("delay", {"20", "5"}, faults).empty());
  const auto all = fates(1, faults);
  const auto [least, most] = std::minmax_element(
      all.begin(), all.end(), [](const Fate& a, const Fate& b) { return a.delay_ns < b.delay_ns; });
  CHECK(least->delay_ns >= 20 * kNsPerMs && least->delay_ns < 20 * kNsPerMs + kNsPerMs / 100);
  CHECK(most->delay_ns <= 25 * kNsPerMs && most->delay_ns > 25 * kNsPerMs - kNsPerMs / 100);
}

TEST("a rate limit spaces datagrams, and drops them when its queue is full") {
  Judge judge(1);
  judge.faults().rate_bps = 8'000'000;  // a byte per microsecond
  CHECK(judge.judge({972, 28, 0}).delay_ns == 1'000'000);
  CHECK(judge.judge({972, 28, 0}).delay_ns == 2'000'000);
  CHECK(judge.judge({972, 28, 5'000'000}).delay_ns == 1'000'000);
  int sent = 0;
  while (judge.judge({972, 28, 10'000'000}).lost == Lost::kNot) sent++;
  CHECK(sent == 201);  // one leaves, and 200 ms worth of datagrams wait
}

std::vector<int> order_after(const char* percent, const char* depth, int datagrams) {
  Link link(9);
  CHECK(apply_line("reorder", {percent, depth}, link.faults()).empty());
  for (int i = 0; i < datagrams; i++) {
    const std::uint8_t bytes[2] = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
    link.take(bytes, 28, 0);
  }
  std::vector<int> order;
  DelayLine::Waiting datagram;
  while (link.line().take(DelayLine::kMaxHeldNs, datagram))
    order.push_back(datagram.bytes[0] | datagram.bytes[1] << 8);
  return order;
}

TEST("a reordered datagram is overtaken by at most `depth` others, and none is lost") {
  const auto order = order_after("25", "1000", 20'000);
  int greatest = -1, late = 0, most = 0;
  for (const int number : order) {
    greatest = std::max(greatest, number);
    late += number < greatest;
    most = std::max(most, greatest - number);
  }
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted.size() == 20'000 && std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
  CHECK(late > 4'500 && late < 5'500 && most > 900 && most <= 1000);
}

TEST("without faults order is kept, even among datagrams that are due at the same time") {
  const auto order = order_after("0", "1", 5'000);
  CHECK(order.size() == 5'000 && std::is_sorted(order.begin(), order.end()));
}

TEST("memory is bounded: datagrams that do not fit are dropped and counted") {
  Link link(1);
  link.faults().delay_ns = kNsPerSecond;
  const std::vector<std::uint8_t> bytes(65'536);
  for (int i = 0; i < 2'000; i++) link.take(bytes, 28, 0);
  CHECK(link.statistics().no_room == 2'000 - DelayLine::kMaxBytes / bytes.size());
}

TEST("wrong commands, numbers and counts are refused with a usage message") {
  Faults faults;
  CHECK(apply_line("drip", {"5"}, faults) == "unknown command: drip");
  for (const char* bad : {"101", "-1", "x", "5x", "", "nan"})
    CHECK(!apply_line("drop", {bad}, faults).empty());
  CHECK(!apply_line("drop", {}, faults).empty() && !apply_line("burst", {"1"}, faults).empty());
  CHECK(!apply_line("reorder", {"1", "1001"}, faults).empty());
  CHECK(faults.drop_percent == 0 && faults.reorder_percent == 0);
  CHECK(apply_line("drop", {"2.5"}, faults).empty() && faults.drop_percent == 2.5);
  CHECK(apply_line("clear", {}, faults).empty() && faults.drop_percent == 0);
}

}  // namespace
}  // namespace nsm::test
