// Every implementation of the AEADs against Wycheproof, and batches of packets.
#include "core/aead.h"

#include "core/nonce.h"
#include "core/xaead.h"
#include "vectors.h"

namespace nsm::test {
namespace {

using Buffer = std::vector<std::uint8_t>;

// Seals and opens one vector with `key`; true if both give the result that the vector expects.
bool agrees(AeadKey& key, AeadNonce nonce, const Json& vector) {
  const Buffer text = from_hex(vector["msg"].text), additional = from_hex(vector["aad"].text);
  Buffer expected = from_hex(vector["ct"].text);
  const Buffer tag = from_hex(vector["tag"].text);
  expected.insert(expected.end(), tag.begin(), tag.end());
  const bool valid = vector["result"].text == "valid";

  Buffer sealed = text;
  sealed.resize(text.size() + kTagBytes);
  key.seal_one(sealed, nonce, additional);
  if ((sealed == expected) != valid) return false;
  Buffer opened = expected;
  if (key.open_one(opened, nonce, additional) != valid) return false;
  return !valid || std::equal(text.begin(), text.end(), opened.begin());
}

struct Suite {
  const char* file;
  const char* iv_bits;
  AeadAlgorithm algorithm;
};

void run_wycheproof(const Suite& suite, int at_least) {
  const auto vectors = read_vectors(suite.file);
  if (!vectors) return;
  const AeadSuite aeads;
  for (const auto& by : aeads.implementations()) {
    int ran = 0;
    for (const Json& group : (*vectors)["testGroups"].items) {
      const bool ours = group["keySize"].text == "256" && group["ivSize"].text == suite.iv_bits &&
                        group["tagSize"].text == "128";
      if (!ours) continue;  // WireGuard uses only this key, nonce and tag size
      for (const Json& vector : group["tests"].items) {
        const auto secret = key_from_hex<SecretKey>(vector["key"].text);
        const Buffer iv = from_hex(vector["iv"].text);
        const bool extended = iv.size() == kXNonceBytes;
        const auto key =
            extended ? make_xaead_key(*by, secret, XNonce(iv)) : by->make_key(suite.algorithm, secret);
        const auto nonce = extended ? xnonce(XNonce(iv))
                                    : key_from_hex<std::array<std::uint8_t, kNonceBytes>>(vector["iv"].text);
        if (!CHECK(agrees(*key, nonce, vector)))
          std::printf("  %s %s tcId %s\n", std::string(by->name()).c_str(), suite.file,
                      vector["tcId"].text.c_str());
        ran++;
      }
    }
    std::printf("%s: %d cases of %s\n", std::string(by->name()).c_str(), ran, suite.file);
    CHECK(ran >= at_least);
  }
}

TEST("ChaCha20-Poly1305 agrees with Wycheproof") {
  run_wycheproof({"chacha20_poly1305_test.json", "96", AeadAlgorithm::kChaCha20Poly1305}, 300);
}
TEST("XChaCha20-Poly1305 agrees with Wycheproof") {
  run_wycheproof({"xchacha20_poly1305_test.json", "192", AeadAlgorithm::kChaCha20Poly1305}, 300);
}
TEST("AES-256-GCM agrees with Wycheproof") {
  run_wycheproof({"aes_gcm_test.json", "96", AeadAlgorithm::kAes256Gcm}, 60);
}

TEST("HChaCha20 gives the subkey of the draft's section 2.2.1") {
  const auto key =
      key_from_hex<SecretKey>("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const auto nonce = from_hex("000000090000004a0000000031415927");
  const auto expected = key_from_hex<Key>("82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc");
  CHECK(equal_constant_time(hchacha20(key, std::span<const std::uint8_t, 16>(nonce)), expected));
}

std::vector<AeadAlgorithm> algorithms() {
  return {AeadAlgorithm::kChaCha20Poly1305, AeadAlgorithm::kAes256Gcm};
}

TEST("every implementation opens what every other one sealed, at every size") {
  const AeadSuite aeads;
  const SecretKey secret(
      key_from_hex<Key>("0102030405060708091011121314151617181920212223242526272829303132"));
  for (const AeadAlgorithm algorithm : algorithms())
    for (const auto& sealer : aeads.implementations())
      for (const auto& opener : aeads.implementations()) {
        const auto seal = sealer->make_key(algorithm, secret), open = opener->make_key(algorithm, secret);
        for (std::uint32_t bytes = 0; bytes < 2100; bytes += bytes < 80 ? 1 : 67) {
          Buffer packet(bytes + kTagBytes, 0xa5);
          AeadJob job[1] = {{packet.data(), bytes, 1000 + bytes, false}};
          seal->seal(job);
          open->open(job);
          CHECK(job[0].ok && Buffer(packet.begin(), packet.begin() + bytes) == Buffer(bytes, 0xa5));
        }
      }
}

TEST("a batch marks exactly the damaged packets") {
  const AeadSuite aeads;
  for (const AeadAlgorithm algorithm : algorithms())
    for (const auto& by : aeads.implementations()) {
      const auto key = by->make_key(algorithm, SecretKey());
      std::vector<Buffer> packets(32, Buffer(1424 + kTagBytes, 7));
      std::vector<AeadJob> jobs;
      for (std::size_t i = 0; i < packets.size(); i++) jobs.push_back({packets[i].data(), 1424, i, false});
      key->seal(jobs);
      for (std::size_t i = 0; i < packets.size(); i += 3) packets[i][(i * 97) % packets[i].size()] ^= 1;
      key->open(jobs);
      for (std::size_t i = 0; i < packets.size(); i++) CHECK(jobs[i].ok == (i % 3 != 0));
    }
}

TEST("the counter is the nonce's last 8 bytes, little endian") {
  const auto nonce = counter_nonce(0x0102030405060708);
  CHECK((nonce == std::array<std::uint8_t, 12>{0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1}));
}

}  // namespace
}  // namespace nsm::test
