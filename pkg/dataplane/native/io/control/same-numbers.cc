// The enums of the core and of the pipeline have the numbers of protocol.h: the control
// thread casts one into the other.
#include "core/failure-detector.h"
#include "core/peer.h"
#include "pipeline/inner-rules.h"
#include "protocol/protocol.h"

namespace nsm::io {
namespace {

template <typename Ours, typename Theirs>
constexpr bool same(Ours ours, Theirs theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}

static_assert(kKeyBytes == protocol::kKeyAttributeBytes);
static_assert(kSavedIdBytes == protocol::kMaxIdBytes);
static_assert(same(AeadAlgorithm::kChaCha20Poly1305, protocol::kChaCha20Poly1305));
static_assert(same(AeadAlgorithm::kAes256Gcm, protocol::kAes256Gcm));
static_assert(same(Payload::kIp, protocol::kIpPayload));
static_assert(same(Payload::kEthernet, protocol::kEthernetPayload));
static_assert(same(SessionState::kIdle, protocol::kIdle));
static_assert(same(SessionState::kHandshaking, protocol::kHandshaking));
static_assert(same(SessionState::kEstablished, protocol::kEstablished));
static_assert(same(SessionState::kReceiveOnly, protocol::kReceiveOnly));
static_assert(same(Verdict::kUnknown, protocol::kVerdictUnknown));
static_assert(same(Verdict::kUp, protocol::kVerdictUp));
static_assert(same(Verdict::kDown, protocol::kVerdictDown));

}  // namespace
}  // namespace nsm::io
