// The transport ciphers, in the implementation that is fastest on this machine. An
// AeadSuite is made once at start and makes keys; a key seals and opens batches in
// place. The nonce is WireGuard's: 4 zero bytes, then the counter, little endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "bytes.h"

namespace nsm {

inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kNonceBytes = 12;

// Numbered as AeadKind in protocol.h.
enum class AeadAlgorithm : std::uint8_t { kChaCha20Poly1305 = 1, kAes256Gcm = 2 };
constexpr std::string_view aead_name(AeadAlgorithm algorithm) noexcept {
  return algorithm == AeadAlgorithm::kAes256Gcm ? "AES-256-GCM" : "ChaCha20-Poly1305";
}

// One packet of a batch: `bytes` of text at `text`, the tag behind them.
struct AeadJob {
  std::uint8_t* text = nullptr;  // kTagBytes behind it are writable, too
  std::uint32_t bytes = 0;       // of the text, without the tag
  std::uint64_t counter = 0;
  bool ok = false;  // set by open(): authentic. When false, the text is undefined
};

using AeadNonce = std::span<const std::uint8_t, kNonceBytes>;

// An expanded key. One thread uses it at a time. Wiped on destruction.
class AeadKey {
 public:
  AeadKey() = default;
  AeadKey(const AeadKey&) = delete;
  AeadKey& operator=(const AeadKey&) = delete;
  virtual ~AeadKey() = default;

  virtual void seal(std::span<AeadJob> jobs) noexcept = 0;
  virtual void open(std::span<AeadJob> jobs) noexcept = 0;  // sets AeadJob::ok of each

  // One message with any nonce and additional data: handshakes, cookies, tests.
  virtual void seal_one(Bytes text_and_tag, AeadNonce nonce, ConstBytes additional) noexcept = 0;
  virtual bool open_one(Bytes text_and_tag, AeadNonce nonce, ConstBytes additional) noexcept = 0;
};

// One implementation of both ciphers. Any thread may make keys with it.
class AeadImplementation {
 public:
  virtual ~AeadImplementation() = default;
  virtual std::string_view name() const noexcept = 0;                    // "ipsec-mb" or "libcrypto"
  virtual bool accelerated(AeadAlgorithm algorithm) const noexcept = 0;  // by instructions of the CPU
  virtual std::unique_ptr<AeadKey> make_key(AeadAlgorithm algorithm, const SecretKey& key) const noexcept = 0;
};

std::unique_ptr<AeadImplementation> make_libcrypto_aead() noexcept;
// nullptr: the build or the CPU does not support it.
std::unique_ptr<AeadImplementation> make_ipsec_mb_aead() noexcept;

// The implementations on this machine, fastest first. Outlives every key that it made.
class AeadSuite {
 public:
  explicit AeadSuite(bool ipsec_mb = true);  // false: do not use ipsec-mb
  std::unique_ptr<AeadKey> make_key(AeadAlgorithm algorithm, const SecretKey& key) const noexcept;
  const AeadImplementation& preferred() const noexcept { return *implementations_.front(); }
  std::span<const std::unique_ptr<AeadImplementation>> implementations() const noexcept {
    return implementations_;
  }

 private:
  std::vector<std::unique_ptr<AeadImplementation>> implementations_;
};

}  // namespace nsm
