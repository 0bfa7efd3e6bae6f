// Prefix lists compared with a model that treats addresses as numbers. The only question is whether
// any prefix contains an address, so the order of overlapping prefixes does not matter.
#include "core/inner-ip.h"
#include "fuzzed-input.h"

namespace {

using nsm::fuzz::FuzzedInput;
using nsm::fuzz::require;
using Address = std::array<std::uint8_t, 16>;

using Number = unsigned __int128;

Number number_of(const Address& address, unsigned bits) {
  Number number = 0;
  for (std::size_t byte = 0; byte < bits / 8; byte++) number = number << 8 | address[byte];
  return number;
}

unsigned bits_of(std::uint8_t family) { return family == 4 ? 32 : 128; }

class NaiveList {
 public:
  bool add(const nsm::Prefix& prefix) {
    const bool known = prefix.family == 4 || prefix.family == 6;
    if (!known || prefix.length > bits_of(prefix.family)) return false;
    if (entries_.size() == nsm::PrefixList::kMax) return false;
    const unsigned host_bits = bits_of(prefix.family) - prefix.length;
    entries_.push_back({prefix.family, host_bits, number_of(prefix.address, bits_of(prefix.family))});
    return true;
  }
  bool contains(std::uint8_t family, const Address& address) const {
    const Number number = number_of(address, bits_of(family));
    return std::ranges::any_of(entries_, [&](const Entry& entry) {
      const Number difference = entry.network ^ number;
      return entry.family == family && (entry.host_bits == 128 || difference >> entry.host_bits == 0);
    });
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint8_t family;
    unsigned host_bits;
    Number network;
  };
  std::vector<Entry> entries_;
};

// An address of either family; the interesting ones differ in a bit or two.
Address next_address(FuzzedInput& input, const Address& last) {
  Address address = last;
  if (input.flag())
    address[input.below(address.size())] ^= static_cast<std::uint8_t>(1 << input.below(8));
  else
    std::ranges::copy(input.take(address.size()), address.begin());
  return address;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedInput input(data, size);
  nsm::PrefixList list;
  NaiveList naive;
  Address address = {};
  while (!input.empty()) {
    address = next_address(input, address);
    if (input.flag()) {
      const std::uint8_t family = input.number<std::uint8_t>() % 8;
      const nsm::Prefix prefix = {family, input.number<std::uint8_t>(), address};
      require(list.add(prefix) == naive.add(prefix));
    }
    for (const std::uint8_t family : {4, 6})
      require(list.contains(family, address.data()) == naive.contains(family, address));
    require(list.size() == naive.size() && list.entries().size() == naive.size());
  }
  return 0;
}
