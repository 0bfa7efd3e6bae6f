#include "core/blake2s.h"

#include "core/noise.h"
#include "vectors.h"

namespace nsm::test {
namespace {

std::vector<std::uint8_t> counting(std::size_t bytes) {
  std::vector<std::uint8_t> out(bytes);
  for (std::size_t i = 0; i < bytes; i++) out[i] = static_cast<std::uint8_t>(i);
  return out;
}

TEST("BLAKE2s hashes \"abc\" as RFC 7693 appendix B") {
  CHECK(blake2s(as_bytes("abc")) ==
        key_from_hex("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"));
}

// The self test of RFC 7693 appendix E: a hash over the hashes, keyed and unkeyed, of inputs of
// many lengths, which a Fibonacci generator fills.
std::vector<std::uint8_t> fibonacci(std::size_t bytes, std::uint32_t seed) {
  std::uint32_t a = 0xdead4bad * seed, b = 1;
  std::vector<std::uint8_t> out(bytes);
  for (auto& byte : out) {
    const std::uint32_t next = a + b;
    a = b;
    b = next;
    byte = static_cast<std::uint8_t>(next >> 24);
  }
  return out;
}

TEST("BLAKE2s passes the self test of RFC 7693 appendix E") {
  Blake2s all;
  for (const std::size_t out_bytes : {16u, 20u, 28u, 32u})
    for (const std::size_t in_bytes : {0u, 3u, 64u, 65u, 255u, 1024u}) {
      const auto in = fibonacci(in_bytes, static_cast<std::uint32_t>(in_bytes));
      std::vector<std::uint8_t> digest(out_bytes);
      Blake2s(out_bytes).update(in).finish(digest.data());
      all.update(digest);
      const auto key = fibonacci(out_bytes, static_cast<std::uint32_t>(out_bytes));
      Blake2s(out_bytes, key).update(in).finish(digest.data());
      all.update(digest);
    }
  CHECK(all.digest() == key_from_hex("6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe"));
}

TEST("BLAKE2s gives the same hash however the input is split into updates") {
  const auto data = counting(300);
  const Key whole = blake2s(data);
  for (std::size_t cut = 0; cut <= data.size(); cut++)
    CHECK(blake2s(ConstBytes(data).first(cut), ConstBytes(data).subspan(cut)) == whole);
}

}  // namespace
}  // namespace nsm::test
