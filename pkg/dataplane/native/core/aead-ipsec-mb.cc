// The ciphers of intel-ipsec-mb, through its direct API. That keeps no state in the
// manager, so one manager serves all threads. The job API would gain a tenth for
// ChaCha20-Poly1305 at packet sizes, and nothing for AES-GCM.
#include "aead.h"
#include "nonce.h"

#ifndef NSM_HAVE_IPSEC_MB
namespace nsm {
std::unique_ptr<AeadImplementation> make_ipsec_mb_aead() noexcept { return nullptr; }
}  // namespace nsm
#else

#include <intel-ipsec-mb.h>

namespace nsm {
namespace {

struct FreeManager {
  void operator()(IMB_MGR* manager) const noexcept { free_mb_mgr(manager); }
};

constexpr std::uint8_t kNothing[1] = {};  // the library refuses a null pointer even for zero bytes
const std::uint8_t* some(ConstBytes bytes) noexcept { return bytes.empty() ? kNothing : bytes.data(); }

// Working memory of the library. It contains keystream, so it is wiped.
template <typename T>
struct Scratch {
  T value;
  ~Scratch() { explicit_bzero(&value, sizeof value); }
};

struct Operation {
  Bytes text;
  AeadNonce nonce;
  ConstBytes additional;
  std::uint8_t* tag;  // output
};

// What both ciphers have in common: batches and the comparison of tags. `Derived`
// provides encrypt(Context&, const Operation&) and decrypt.
template <typename Derived, typename Context>
class IpsecMbKey : public AeadKey {
 public:
  void seal(std::span<AeadJob> jobs) noexcept final {
    Scratch<Context> scratch;
    for (AeadJob& job : jobs)
      self().encrypt(scratch.value,
                     {{job.text, job.bytes}, counter_nonce(job.counter), {}, job.text + job.bytes});
  }

  void open(std::span<AeadJob> jobs) noexcept final {
    Scratch<Context> scratch;
    for (AeadJob& job : jobs) {
      Tag tag;
      self().decrypt(scratch.value, {{job.text, job.bytes}, counter_nonce(job.counter), {}, tag.data()});
      job.ok = equal_constant_time(tag, ConstBytes(job.text + job.bytes, kTagBytes));
    }
  }

  void seal_one(Bytes text_and_tag, AeadNonce nonce, ConstBytes additional) noexcept final {
    Scratch<Context> scratch;
    const Bytes text = text_and_tag.first(text_and_tag.size() - kTagBytes);
    self().encrypt(scratch.value, {text, nonce, additional, text_and_tag.data() + text.size()});
  }

  bool open_one(Bytes text_and_tag, AeadNonce nonce, ConstBytes additional) noexcept final {
    Scratch<Context> scratch;
    Tag tag;
    const Bytes text = text_and_tag.first(text_and_tag.size() - kTagBytes);
    self().decrypt(scratch.value, {text, nonce, additional, tag.data()});
    return equal_constant_time(tag, text_and_tag.subspan(text.size()));
  }

 private:
  using Tag = std::array<std::uint8_t, kTagBytes>;
  Derived& self() noexcept { return static_cast<Derived&>(*this); }
};

class Aes256GcmKey final : public IpsecMbKey<Aes256GcmKey, gcm_context_data> {
 public:
  Aes256GcmKey(IMB_MGR* manager, const SecretKey& key) noexcept : manager_(manager) {
    IMB_AES256_GCM_PRE(manager_, key.data(), &expanded_);
  }
  ~Aes256GcmKey() override { explicit_bzero(&expanded_, sizeof expanded_); }

  void encrypt(gcm_context_data& scratch, const Operation& o) noexcept {
    IMB_AES256_GCM_ENC(manager_, &expanded_, &scratch, o.text.data(), o.text.data(), o.text.size(),
                       o.nonce.data(), some(o.additional), o.additional.size(), o.tag, kTagBytes);
  }
  void decrypt(gcm_context_data& scratch, const Operation& o) noexcept {
    IMB_AES256_GCM_DEC(manager_, &expanded_, &scratch, o.text.data(), o.text.data(), o.text.size(),
                       o.nonce.data(), some(o.additional), o.additional.size(), o.tag, kTagBytes);
  }

 private:
  IMB_MGR* manager_;
  alignas(64) gcm_key_data expanded_;
};

class ChaCha20Poly1305Key final : public IpsecMbKey<ChaCha20Poly1305Key, chacha20_poly1305_context_data> {
 public:
  ChaCha20Poly1305Key(IMB_MGR* manager, const SecretKey& key) noexcept : manager_(manager), key_(key) {}

  void encrypt(chacha20_poly1305_context_data& scratch, const Operation& o) noexcept {
    begin(scratch, o);
    if (!o.text.empty())
      IMB_CHACHA20_POLY1305_ENC_UPDATE(manager_, key_.data(), &scratch, o.text.data(), o.text.data(),
                                       o.text.size());
    IMB_CHACHA20_POLY1305_ENC_FINALIZE(manager_, &scratch, o.tag, kTagBytes);
  }
  void decrypt(chacha20_poly1305_context_data& scratch, const Operation& o) noexcept {
    begin(scratch, o);
    if (!o.text.empty())
      IMB_CHACHA20_POLY1305_DEC_UPDATE(manager_, key_.data(), &scratch, o.text.data(), o.text.data(),
                                       o.text.size());
    IMB_CHACHA20_POLY1305_DEC_FINALIZE(manager_, &scratch, o.tag, kTagBytes);
  }

 private:
  void begin(chacha20_poly1305_context_data& scratch, const Operation& o) noexcept {
    IMB_CHACHA20_POLY1305_INIT(manager_, key_.data(), &scratch, o.nonce.data(), some(o.additional),
                               o.additional.size());
  }

  IMB_MGR* manager_;
  SecretKey key_;
};

class IpsecMb final : public AeadImplementation {
 public:
  explicit IpsecMb(IMB_MGR* manager) noexcept : manager_(manager) {}
  std::string_view name() const noexcept override { return "ipsec-mb"; }
  bool accelerated(AeadAlgorithm) const noexcept override { return true; }  // checked by make_ipsec_mb_aead()
  std::unique_ptr<AeadKey> make_key(AeadAlgorithm algorithm, const SecretKey& key) const noexcept override {
    if (algorithm == AeadAlgorithm::kAes256Gcm) return std::make_unique<Aes256GcmKey>(manager_.get(), key);
    return std::make_unique<ChaCha20Poly1305Key>(manager_.get(), key);
  }

 private:
  std::unique_ptr<IMB_MGR, FreeManager> manager_;
};

}  // namespace

std::unique_ptr<AeadImplementation> make_ipsec_mb_aead() noexcept {
  constexpr std::uint64_t kNeeded = IMB_FEATURE_SSE4_2 | IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == nullptr) return nullptr;
  if ((manager->features & kNeeded) != kNeeded) {  // the library would emulate AES, slower than libcrypto
    free_mb_mgr(manager);
    return nullptr;
  }
  init_mb_mgr_auto(manager, nullptr);
  return std::make_unique<IpsecMb>(manager);
}

}  // namespace nsm
#endif
