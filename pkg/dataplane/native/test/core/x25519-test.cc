#include "core/x25519.h"

#include "vectors.h"

namespace nsm::test {
namespace {

TEST("X25519 agrees with Wycheproof, and refuses every all-zero secret") {
  const auto vectors = read_vectors("x25519_test.json");
  if (!vectors) return;
  int ran = 0, refused = 0;
  for (const Json& group : (*vectors)["testGroups"].items)
    for (const Json& vector : group["tests"].items) {
      const X25519Key key(key_from_hex<SecretKey>(vector["private"].text));
      const Key expected = key_from_hex(vector["shared"].text);
      SecretKey shared;
      const bool agreed = key.agree(key_from_hex(vector["public"].text), shared);
      const bool zero = expected == Key{};
      if (!CHECK(agreed == !zero && (zero || equal_constant_time(shared, expected))))
        std::printf("  tcId %s\n", vector["tcId"].text.c_str());
      ran++;
      refused += zero;
    }
  std::printf("%d cases, %d low-order\n", ran, refused);
  CHECK(ran >= 500 && refused >= 10);
}

TEST("X25519 makes the public keys of RFC 7748 section 6.1") {
  const X25519Key alice(
      key_from_hex<SecretKey>("77076d0a7318a57d3c16c17251b26645df4c1b7e0f6f9d2ca41f2e0c0a2b5a2a"));
  const X25519Key bob(
      key_from_hex<SecretKey>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  CHECK(bob.public_key() == key_from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
  SecretKey a, b;
  CHECK(alice.agree(bob.public_key(), a) && bob.agree(alice.public_key(), b) && equal_constant_time(a, b));
}

}  // namespace
}  // namespace nsm::test
