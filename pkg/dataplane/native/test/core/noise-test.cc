#include "core/noise.h"

#include "core/nonce.h"
#include "vectors.h"

namespace nsm::test {
namespace {

// Both sides of a handshake with fixed keys, using the functions that a peer uses.
struct Pair {
  Pair(const Json& v, const AeadImplementation& by)
      : aead(by),
        prologue(from_hex(v["init_prologue"].text)),
        psk(key_from_hex<SecretKey>(v["init_psks"].items[0].text)),
        initiator(key_from_hex<SecretKey>(v["init_static"].text)),
        responder(key_from_hex<SecretKey>(v["resp_static"].text)),
        initiator_ephemeral(key_from_hex<SecretKey>(v["init_ephemeral"].text)),
        responder_ephemeral(key_from_hex<SecretKey>(v["resp_ephemeral"].text)) {
    initiator.agree(responder.public_key(), static_static);
  }
  NoiseHandshake begin() const {
    return NoiseHandshake(aead, responder.public_key(),
                          {reinterpret_cast<const char*>(prologue.data()), prologue.size()});
  }
  const AeadImplementation& aead;
  std::vector<std::uint8_t> prologue;
  SecretKey psk;
  X25519Key initiator, responder, initiator_ephemeral, responder_ephemeral;
  SecretKey static_static;
};

using Buffer = std::vector<std::uint8_t>;

Buffer first_message(const Pair& p, NoiseHandshake& noise, const Buffer& payload) {
  Buffer out(kKeyBytes + kKeyBytes + kTagBytes + payload.size() + kTagBytes);
  const Bytes all(out);
  CHECK(noise.write_first({p.initiator_ephemeral, p.initiator, p.static_static, p.responder.public_key()},
                          payload, {all.first<32>(), all.subspan<32, 48>(), all.subspan(80)}));
  return out;
}

Buffer second_message(const Pair& p, NoiseHandshake& noise, const Buffer& payload) {
  Buffer sealed(payload.size() + kTagBytes);
  CHECK(noise.write_second(
      {p.responder_ephemeral, p.initiator_ephemeral.public_key(), p.initiator.public_key(), p.psk}, payload,
      sealed));
  Buffer out(p.responder_ephemeral.public_key().begin(), p.responder_ephemeral.public_key().end());
  out.insert(out.end(), sealed.begin(), sealed.end());
  return out;
}

bool read_first(const Pair& p, NoiseHandshake& noise, const Buffer& message, Buffer& payload) {
  const ConstBytes all(message);
  const Key ephemeral = key_from_hex("");
  Key copy = ephemeral, from{};
  std::copy_n(message.begin(), kKeyBytes, copy.begin());
  payload.resize(message.size() - 96);
  return noise.read_first_static(p.responder, {copy, all.subspan<32, 48>()}, from) &&
         from == p.initiator.public_key() &&
         noise.read_first_payload(p.static_static, all.subspan(80), payload);
}

Buffer sealed_with(const AeadImplementation& by, const SecretKey& key, std::uint64_t counter,
                   const Buffer& text) {
  Buffer out = text;
  out.resize(text.size() + kTagBytes);
  by.make_key(AeadAlgorithm::kChaCha20Poly1305, key)->seal_one(out, counter_nonce(counter), {});
  return out;
}

TEST("the handshake equals the cacophony vectors byte for byte, with every AEAD implementation") {
  const auto file = read_vectors("noise_ikpsk2_25519_chachapoly_blake2s.json");
  if (!file) return;
  const Json& v = (*file)["vectors"].items[0];
  const auto& messages = v["messages"].items;
  const auto payload = [&](std::size_t i) { return from_hex(messages[i]["payload"].text); };
  const auto cipher = [&](std::size_t i) { return from_hex(messages[i]["ciphertext"].text); };
  const AeadSuite aeads;
  for (const auto& by : aeads.implementations()) {
    const Pair p(v, *by);
    NoiseHandshake initiator = p.begin(), responder = p.begin();
    CHECK(first_message(p, initiator, payload(0)) == cipher(0));
    Buffer opened;
    CHECK(read_first(p, responder, cipher(0), opened) && opened == payload(0));
    CHECK(second_message(p, responder, payload(1)) == cipher(1));
    opened.assign(payload(1).size(), 0);
    const Key ephemeral = p.responder_ephemeral.public_key();
    CHECK(initiator.read_second({p.initiator_ephemeral, p.initiator, ephemeral, p.psk},
                                ConstBytes(cipher(1)).subspan(32), opened) &&
          opened == payload(1));
    CHECK(initiator.hash() == key_from_hex(v["handshake_hash"].text) && responder.hash() == initiator.hash());
    const TransportKeys keys = initiator.split(), same = responder.split();
    CHECK(equal_constant_time(keys.initiator_to_responder, same.initiator_to_responder));
    for (std::size_t i = 2; i < messages.size(); i++) {
      const SecretKey& key = i % 2 == 0 ? keys.initiator_to_responder : keys.responder_to_initiator;
      CHECK(sealed_with(*by, key, (i - 2) / 2, payload(i)) == cipher(i));
    }
  }
}

TEST("a change of any byte of the first message is detected") {
  const auto file = read_vectors("noise_ikpsk2_25519_chachapoly_blake2s.json");
  if (!file) return;
  const AeadSuite aeads;
  const Pair p((*file)["vectors"].items[0], aeads.preferred());
  NoiseHandshake initiator = p.begin();
  const Buffer message = first_message(p, initiator, Buffer(12, 1));
  for (std::size_t i = 0; i < message.size(); i++) {
    Buffer damaged = message, opened;
    damaged[i] ^= i == 31 ? 1 : 0x80;  // the top bit of a point is ignored (RFC 7748), but hashed
    NoiseHandshake responder = p.begin();
    CHECK(!read_first(p, responder, damaged, opened));
  }
}

// Whether the initiator of `p` accepts `message`, which may be meant for another one.
bool read_second(const Pair& p, const SecretKey& psk, const Buffer& message) {
  NoiseHandshake noise = p.begin();
  first_message(p, noise, Buffer(12, 1));
  Key ephemeral{};
  std::copy_n(message.begin(), kKeyBytes, ephemeral.begin());
  return noise.read_second({p.initiator_ephemeral, p.initiator, ephemeral, psk},
                           ConstBytes(message).subspan(kKeyBytes), {});
}

TEST("a change of any byte of the second message, and another preshared key, are detected") {
  const auto file = read_vectors("noise_ikpsk2_25519_chachapoly_blake2s.json");
  if (!file) return;
  const AeadSuite aeads;
  const Pair p((*file)["vectors"].items[0], aeads.preferred());
  NoiseHandshake initiator = p.begin(), responder = p.begin();
  Buffer opened;
  CHECK(read_first(p, responder, first_message(p, initiator, Buffer(12, 1)), opened));
  const Buffer message = second_message(p, responder, {});
  CHECK(read_second(p, p.psk, message));
  for (std::size_t i = 0; i < message.size(); i++) {
    Buffer damaged = message;
    damaged[i] ^= i == 31 ? 1 : 0x80;
    CHECK(!read_second(p, p.psk, damaged));
  }
  for (std::size_t i = 0; i < p.psk.size(); i++) {
    SecretKey other = p.psk;
    other[i] ^= 1;
    CHECK(!read_second(p, other, message));
  }
  CHECK(!read_second(p, SecretKey(), message));  // no preshared key either
}

TEST("messages of a handshake with one party are of no use to another") {
  const auto file = read_vectors("noise_ikpsk2_25519_chachapoly_blake2s.json");
  if (!file) return;
  const AeadSuite aeads;
  const Json& v = (*file)["vectors"].items[0];
  const Pair p(v, aeads.preferred());
  Pair other(v, aeads.preferred());
  SecretKey another_key = key_from_hex<SecretKey>(v["resp_static"].text);
  another_key[5] ^= 1;
  other.responder = X25519Key(another_key);
  NoiseHandshake initiator = p.begin(), elsewhere = other.begin();
  Buffer opened;
  CHECK(!read_first(other, elsewhere, first_message(p, initiator, Buffer(12, 1)), opened));
}

}  // namespace
}  // namespace nsm::test
