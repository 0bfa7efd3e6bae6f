// The ciphers of libcrypto: available on every machine, and the reference for others.
#include <openssl/evp.h>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "aead.h"
#include "nonce.h"

namespace nsm {
namespace {

bool cpu_has_aes() noexcept {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
  return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#else
  return false;
#endif
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }  // wipes the key
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

// Two contexts, because changing the direction of a context expands the key again.
class LibcryptoKey final : public AeadKey {
 public:
  LibcryptoKey(const EVP_CIPHER* cipher, const SecretKey& key) noexcept
      : sealing_(EVP_CIPHER_CTX_new()), opening_(EVP_CIPHER_CTX_new()) {
    EVP_EncryptInit_ex(sealing_.get(), cipher, nullptr, key.data(), nullptr);
    EVP_DecryptInit_ex(opening_.get(), cipher, nullptr, key.data(), nullptr);
  }

  void seal(std::span<AeadJob> jobs) noexcept override {
    for (AeadJob& job : jobs) seal_one({job.text, job.bytes + kTagBytes}, counter_nonce(job.counter), {});
  }

  void open(std::span<AeadJob> jobs) noexcept override {
    for (AeadJob& job : jobs)
      job.ok = open_one({job.text, job.bytes + kTagBytes}, counter_nonce(job.counter), {});
  }

  void seal_one(Bytes text_and_tag, AeadNonce nonce, ConstBytes additional) noexcept override {
    EVP_CIPHER_CTX* c = sealing_.get();
    std::uint8_t* text = text_and_tag.data();
    const int bytes = static_cast<int>(text_and_tag.size() - kTagBytes);
    int done = 0;
    EVP_EncryptInit_ex(c, nullptr, nullptr, nullptr, nonce.data());
    if (!additional.empty())
      EVP_EncryptUpdate(c, nullptr, &done, additional.data(), static_cast<int>(additional.size()));
    if (bytes > 0) EVP_EncryptUpdate(c, text, &done, text, bytes);
    EVP_EncryptFinal_ex(c, text + bytes, &done);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, kTagBytes, text + bytes);
  }

  bool open_one(Bytes text_and_tag, AeadNonce nonce, ConstBytes additional) noexcept override {
    EVP_CIPHER_CTX* c = opening_.get();
    std::uint8_t* text = text_and_tag.data();
    const int bytes = static_cast<int>(text_and_tag.size() - kTagBytes);
    int done = 0;
    EVP_DecryptInit_ex(c, nullptr, nullptr, nullptr, nonce.data());
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, kTagBytes, text + bytes);
    if (!additional.empty())
      EVP_DecryptUpdate(c, nullptr, &done, additional.data(), static_cast<int>(additional.size()));
    if (bytes > 0 && EVP_DecryptUpdate(c, text, &done, text, bytes) != 1) return false;
    std::uint8_t none[kTagBytes];
    return EVP_DecryptFinal_ex(c, none, &done) == 1;
  }

 private:
  Context sealing_;
  Context opening_;
};

class Libcrypto final : public AeadImplementation {
 public:
  std::string_view name() const noexcept override { return "libcrypto"; }
  bool accelerated(AeadAlgorithm algorithm) const noexcept override {
    return algorithm == AeadAlgorithm::kChaCha20Poly1305 || cpu_has_aes();
  }
  std::unique_ptr<AeadKey> make_key(AeadAlgorithm algorithm, const SecretKey& key) const noexcept override {
    const bool aes = algorithm == AeadAlgorithm::kAes256Gcm;
    return std::make_unique<LibcryptoKey>(aes ? EVP_aes_256_gcm() : EVP_chacha20_poly1305(), key);
  }
};

}  // namespace

std::unique_ptr<AeadImplementation> make_libcrypto_aead() noexcept { return std::make_unique<Libcrypto>(); }

}  // namespace nsm
