// Replaces the engine's AEADs with one that does nothing, to measure what everything but encryption
// costs. It defines the two factory functions of the core, so that a program that is linked with this
// file contains no cipher at all.
#include <algorithm>
#include <cstdio>

#include "core/aead.h"

namespace nsm {
namespace {

class NoKey final : public AeadKey {
 public:
  void seal(std::span<AeadJob> jobs) noexcept override {
    for (AeadJob& job : jobs) std::fill_n(job.text + job.bytes, kTagBytes, std::uint8_t{0});
  }
  void open(std::span<AeadJob> jobs) noexcept override {
    for (AeadJob& job : jobs) job.ok = true;
  }
  void seal_one(Bytes text_and_tag, AeadNonce, ConstBytes) noexcept override {
    std::ranges::fill(text_and_tag.last(kTagBytes), std::uint8_t{0});
  }
  bool open_one(Bytes, AeadNonce, ConstBytes) noexcept override { return true; }
};

class NoAead final : public AeadImplementation {
 public:
  std::string_view name() const noexcept override { return "none"; }
  bool accelerated(AeadAlgorithm) const noexcept override { return true; }
  std::unique_ptr<AeadKey> make_key(AeadAlgorithm, const SecretKey&) const noexcept override {
    return std::make_unique<NoKey>();
  }
};

}  // namespace

std::unique_ptr<AeadImplementation> make_ipsec_mb_aead() noexcept { return nullptr; }

std::unique_ptr<AeadImplementation> make_libcrypto_aead() noexcept {
  std::fputs("nsm-dataplane-plain: NOTHING IS ENCRYPTED OR AUTHENTICATED; for measurements only\n", stderr);
  return std::make_unique<NoAead>();
}

}  // namespace nsm
