// Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (Noise specification revision 34), the
// handshake of WireGuard:
//
//   <- s
//   ...
//   -> e, es, s, ss, payload
//   <- e, ee, se, psk, payload
//
// An object is the transcript of one side. After a call that failed, it cannot be used
// any more. The Diffie-Hellman result of the static keys (ss) is the same in every
// handshake between two nodes, so the caller computes it once.
#pragma once

#include <string_view>

#include "aead.h"
#include "bytes.h"
#include "x25519.h"

namespace nsm {

inline constexpr std::string_view kWireguardPrologue = "WireGuard v1 zx2c4 Jason@zx2c4.com";

inline ConstBytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct TransportKeys {
  SecretKey initiator_to_responder;
  SecretKey responder_to_initiator;
};

class NoiseHandshake {
 public:
  // `aead` outlives the handshake.
  NoiseHandshake(const AeadImplementation& aead, const Key& responder_static,
                 std::string_view prologue = kWireguardPrologue) noexcept;

  struct FirstKeys {
    const X25519Key& ephemeral;
    const X25519Key& initiator_static;
    const SecretKey& static_static;
    const Key& responder_static;
  };
  struct FirstOut {
    std::span<std::uint8_t, kKeyBytes> ephemeral;
    std::span<std::uint8_t, kKeyBytes + kTagBytes> sealed_static;
    Bytes sealed_payload;  // kTagBytes longer than the payload
  };
  bool write_first(const FirstKeys& keys, ConstBytes payload, const FirstOut& out) noexcept;

  struct FirstIn {
    const Key& ephemeral;
    std::span<const std::uint8_t, kKeyBytes + kTagBytes> sealed_static;
  };
  // Reads who claims to initiate; read_first_payload proves it.
  bool read_first_static(const X25519Key& responder_static, const FirstIn& in,
                         Key& initiator_static) noexcept;
  bool read_first_payload(const SecretKey& static_static, ConstBytes sealed, Bytes payload) noexcept;

  struct SecondKeys {
    const X25519Key& ephemeral;
    const Key& initiator_ephemeral;
    const Key& initiator_static;
    const SecretKey& preshared;
  };
  bool write_second(const SecondKeys& keys, ConstBytes payload, Bytes sealed_payload) noexcept;

  struct SecondIn {
    const X25519Key& ephemeral;
    const X25519Key& initiator_static;
    const Key& responder_ephemeral;
    const SecretKey& preshared;
  };
  bool read_second(const SecondIn& keys, ConstBytes sealed, Bytes payload) noexcept;

  TransportKeys split() const noexcept;
  const Key& hash() const noexcept { return hash_; }

 private:
  void mix_hash(ConstBytes data) noexcept;
  void mix_key(ConstBytes input) noexcept;  // also derives the cipher key
  void mix_preshared(const SecretKey& preshared) noexcept;
  void mix_ephemeral(const Key& ephemeral) noexcept;
  bool mix_agreement(const X25519Key& local, const Key& remote) noexcept;
  void seal_and_hash(ConstBytes text, Bytes sealed) noexcept;
  bool open_and_hash(ConstBytes sealed, Bytes text) noexcept;

  const AeadImplementation* aead_;
  SecretKey chaining_key_;
  SecretKey cipher_key_;
  Key hash_;
};

}  // namespace nsm
