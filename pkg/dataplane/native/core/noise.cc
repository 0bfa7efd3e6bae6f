#include "noise.h"

#include <algorithm>

#include "blake2s.h"
#include "nonce.h"

namespace nsm {
namespace {

constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::size_t kMaxTextBytes = 128;  // of one text in a handshake: a static key or a payload

}  // namespace

NoiseHandshake::NoiseHandshake(const AeadImplementation& aead, const Key& responder_static,
                               std::string_view prologue) noexcept
    : aead_(&aead), hash_(blake2s(as_bytes(kConstruction))) {
  chaining_key_ = SecretKey(hash_);
  mix_hash(as_bytes(prologue));
  mix_hash(responder_static);
}

bool NoiseHandshake::write_first(const FirstKeys& keys, ConstBytes payload, const FirstOut& out) noexcept {
  const Key& ephemeral = keys.ephemeral.public_key();
  std::copy(ephemeral.begin(), ephemeral.end(), out.ephemeral.begin());
  mix_ephemeral(ephemeral);
  if (!mix_agreement(keys.ephemeral, keys.responder_static)) return false;
  seal_and_hash(keys.initiator_static.public_key(), out.sealed_static);
  mix_key(keys.static_static);
  seal_and_hash(payload, out.sealed_payload);
  return true;
}

bool NoiseHandshake::read_first_static(const X25519Key& responder_static, const FirstIn& in,
                                       Key& initiator_static) noexcept {
  mix_ephemeral(in.ephemeral);
  return mix_agreement(responder_static, in.ephemeral) && open_and_hash(in.sealed_static, initiator_static);
}

bool NoiseHandshake::read_first_payload(const SecretKey& static_static, ConstBytes sealed,
                                        Bytes payload) noexcept {
  mix_key(static_static);
  return open_and_hash(sealed, payload);
}

bool NoiseHandshake::write_second(const SecondKeys& keys, ConstBytes payload, Bytes sealed_payload) noexcept {
  mix_ephemeral(keys.ephemeral.public_key());
  if (!mix_agreement(keys.ephemeral, keys.initiator_ephemeral)) return false;
  if (!mix_agreement(keys.ephemeral, keys.initiator_static)) return false;
  mix_preshared(keys.preshared);
  seal_and_hash(payload, sealed_payload);
  return true;
}

bool NoiseHandshake::read_second(const SecondIn& keys, ConstBytes sealed, Bytes payload) noexcept {
  mix_ephemeral(keys.responder_ephemeral);
  if (!mix_agreement(keys.ephemeral, keys.responder_ephemeral)) return false;
  if (!mix_agreement(keys.initiator_static, keys.responder_ephemeral)) return false;
  mix_preshared(keys.preshared);
  return open_and_hash(sealed, payload);
}

TransportKeys NoiseHandshake::split() const noexcept {
  TransportKeys keys;
  SecretKey* const out[] = {&keys.initiator_to_responder, &keys.responder_to_initiator};
  kdf(chaining_key_, {}, out);
  return keys;
}

void NoiseHandshake::mix_hash(ConstBytes data) noexcept { hash_ = blake2s(hash_, data); }

void NoiseHandshake::mix_key(ConstBytes input) noexcept {
  const SecretKey before = chaining_key_;
  SecretKey* const out[] = {&chaining_key_, &cipher_key_};
  kdf(before, input, out);
}

void NoiseHandshake::mix_preshared(const SecretKey& preshared) noexcept {
  const SecretKey before = chaining_key_;
  SecretKey to_hash;
  SecretKey* const out[] = {&chaining_key_, &to_hash, &cipher_key_};
  kdf(before, preshared, out);
  mix_hash(to_hash);
}

// In a pattern with a preshared key, ephemeral keys are mixed into the chaining key, too.
void NoiseHandshake::mix_ephemeral(const Key& ephemeral) noexcept {
  mix_hash(ephemeral);
  mix_key(ephemeral);
}

bool NoiseHandshake::mix_agreement(const X25519Key& local, const Key& remote) noexcept {
  SecretKey shared;
  if (!local.agree(remote, shared)) return false;
  mix_key(shared);
  return true;
}

void NoiseHandshake::seal_and_hash(ConstBytes text, Bytes sealed) noexcept {
  std::copy(text.begin(), text.end(), sealed.begin());
  aead_->make_key(AeadAlgorithm::kChaCha20Poly1305, cipher_key_)->seal_one(sealed, counter_nonce(0), hash_);
  mix_hash(sealed);
}

bool NoiseHandshake::open_and_hash(ConstBytes sealed, Bytes text) noexcept {
  Secret<kMaxTextBytes + kTagBytes> opened;
  if (sealed.size() > opened.size() || sealed.size() != text.size() + kTagBytes) return false;
  std::copy(sealed.begin(), sealed.end(), opened.begin());
  const auto key = aead_->make_key(AeadAlgorithm::kChaCha20Poly1305, cipher_key_);
  if (!key->open_one(Bytes(opened).first(sealed.size()), counter_nonce(0), hash_)) return false;
  std::copy_n(opened.begin(), text.size(), text.begin());
  mix_hash(sealed);
  return true;
}

}  // namespace nsm
