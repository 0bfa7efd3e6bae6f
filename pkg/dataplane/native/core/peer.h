// The protocol machine of one WireGuard peer: handshakes, timers, key rotation.
//
//            want_session / rehandshake / rekey       response consumed
//   idle ----------------------------------> handshaking -------------> established
//    ^                                        |  ^   |                    |      |
//    |                                        |  |   +--90 s--> idle      |      |
//    |   initiation consumed, then first data |  +------------------------+      |
//    |   of the initiator (confirm)           +-> established   15 s silent      |
//    +---------------------------------------------------------------------------+
//                               180 s: keys erased
//
// The two directions are independent: an initiation of the peer neither stops
// nor is stopped by ours. When both sides initiate at once both handshakes
// complete, each side sends with the session it started and receives on both,
// so nothing has to wait for a tie to be broken.
//
// The verdict says whether packets pass both ways. A completed handshake is what
// shows it, because each side has then answered the other with the keys of the wire:
//
//              a handshake completes
//   unknown -------------------------> up
//      | 11 s after the first attempt ^ |  a handshake, or data, is not answered for 15 s;
//      v                              | v  or the far node has forgotten the session
//     down ---------------------------+-'
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "activity.h"
#include "agenda.h"
#include "cookie.h"
#include "decisions.h"
#include "environment.h"
#include "handled.h"
#include "index-table.h"
#include "noise.h"
#include "saved-state.h"
#include "sessions.h"
#include "verdict.h"
#include "x25519.h"

namespace nsm {

struct PeerConfig {
  // The key this side initiates with; absent: the node's own key.
  std::optional<SecretKey> initiator_private;
  Key remote_responder{};  // the peer's key when it answers
  Key remote_initiator{};  // the peer's key when it initiates; of a foreign peer, the same
  SecretKey preshared;     // all zero: none
  AeadAlgorithm algorithm =
      AeadAlgorithm::kChaCha20Poly1305;  // of data; handshakes always use ChaCha20-Poly1305
  SocketAddress endpoint;                // not known: we can only respond
  bool roaming = false;                  // the endpoint follows authenticated packets; false: pinned
  std::uint16_t keepalive_seconds = 0;   // persistent keepalive; 0: off
  std::uint64_t tag = 0;                 // the engine's own name for the peer
};

// Numbered as SessionState in protocol.h.
enum class SessionState : std::uint8_t { kIdle = 0, kHandshaking = 1, kEstablished = 2, kReceiveOnly = 3 };

// Why a verdict is down.
enum class SessionLoss : std::uint8_t {
  kNeverAnswered,  // no handshake was ever answered
  kSilent,         // the peer no longer answers
  kForgotten,      // the peer's node answers in other sessions, and not in this one
};
std::string_view explain(SessionLoss why) noexcept;  // a sentence for people

// What the protocol machines of an engine share. All outlive the machine.
struct MachineParts {
  const AeadSuite& suite;
  Random& random;
  ReceiverIndexes& indexes;
  Decisions& decisions;
};

// What a peer gets from its protocol machine.
struct PeerPlace {
  const MachineParts& parts;
  const X25519Key& node_key;
  IndexTable& indexes;
  Agenda& agenda;
  SavedPeer* saved;  // may be null
};

// Owner: the control thread. Made and destroyed by WireguardMachine.
class Peer : public Timed {
 public:
  Peer(const PeerConfig& config, const PeerPlace& place);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::uint64_t tag() const noexcept { return config_.tag; }
  // For the data threads. Lives as long as the peer, so they must have let go of it
  // before WireguardMachine::remove_peer.
  Activity& activity() noexcept { return activity_; }
  SessionState state(Now now) const noexcept;
  Verdict verdict() const noexcept { return verdict_; }
  SessionLoss loss() const noexcept { return loss_; }  // while the verdict is down
  const SocketAddress& endpoint() const noexcept { return config_.endpoint; }
  // Since the last completed handshake; absent: none yet.
  std::optional<std::uint64_t> handshake_age_ns(Now now) const noexcept;

  // Data is waiting and there is no usable sending key. Does nothing while a handshake
  // is running; without an endpoint the handshake is given up at once.
  void want_session(Now now) noexcept;
  // Starts a handshake now, whatever the timers say: after a restart, a move, or on demand.
  void rehandshake(Now now) noexcept;
  // Nothing is answered in the session, while others to the same node work. A handshake
  // follows at once: if the peer has only lost the keys, it completes.
  void forgotten(Now now) noexcept;
  // An authentic packet came from there. Ignored where the endpoint is pinned.
  void roam(const SocketAddress& from) noexcept;

  // Changes in place. To change anything else of PeerConfig, remove the peer and add it again.
  void set_endpoint(const SocketAddress& to) noexcept;
  void set_roaming(bool roaming) noexcept { config_.roaming = roaming; }
  void set_keepalive(std::uint16_t seconds) noexcept;

  // The following is for WireguardMachine, which has checked the layout and mac1.

  // Precomputes the static secrets; false: a key of the peer has low order.
  bool agree_static_keys() noexcept;
  const Key& remote_initiator() const noexcept { return config_.remote_initiator; }
  const Key& initiator_public() const noexcept { return initiator_key().public_key(); }
  void restore(Now now);
  void shut_down() noexcept;
  // `noise` has read the static key of this peer.
  Handled consume_initiation(NoiseHandshake& noise, const Initiation& message,
                             const Arrival& arrival) noexcept;
  Handled consume_response(const Response& message, const Arrival& arrival) noexcept;
  Handled consume_cookie(const CookieReply& reply, Now now) noexcept;
  void confirm(std::uint32_t local_index, const SocketAddress& from, Now now) noexcept;
  // Does what is due and returns when to call again (CLOCK_BOOTTIME ns).
  std::uint64_t tick(Now now) noexcept;

 private:
  struct Outgoing {  // a handshake that we initiated and that is not answered yet
    std::uint32_t local_index;
    X25519Key ephemeral;
    NoiseHandshake noise;
  };
  struct NewSession {
    std::uint32_t local_index;
    std::uint32_t remote_index;
    bool initiated;
    const SecretKey& send;
    const SecretKey& receive;
  };

  const AeadImplementation& aead() const noexcept { return parts_.suite.preferred(); }
  const X25519Key& initiator_key() const noexcept { return own_key_ ? *own_key_ : node_key_; }

  // peer-handshake.cc
  void initiate(Now now) noexcept;
  void send_initiation(Now now) noexcept;
  void abandon_handshake() noexcept;
  void send_response(NoiseHandshake& noise, const Initiation& message, const Arrival& arrival) noexcept;

  // peer-sessions.cc
  void start_session(const NewSession& from, Now now);
  std::unique_ptr<ReceiveKey> make_receive_key(const NewSession& from, const Session& session) const;
  std::unique_ptr<SendKey> make_send_key(const NewSession& from, const Session& session) const;
  void make_current(Session& session, std::unique_ptr<SendKey> key) noexcept;
  void drop_session(Session& session) noexcept;
  void established(Now now) noexcept;
  void went_down(SessionLoss why, Now now) noexcept;
  bool can_send(Now now) const noexcept;

  // peer-timers.cc
  void expire_sessions(Now now) noexcept;
  void retry_handshake(Now now) noexcept;
  void notice_absence(Now now) noexcept;
  void notice_silence(Now now) noexcept;
  void notice_return(Now now) noexcept;
  void acknowledge(Now now) noexcept;
  void keep_alive(Now now) noexcept;
  std::uint64_t keepalive_due_ns() const noexcept;
  void keep_key_fresh(Now now) noexcept;
  std::uint64_t next_deadline(Now now) const noexcept;
  // Something may have moved the next deadline: tick soon.
  void touch() noexcept { agenda_.set(*this, 0); }

  PeerConfig config_;
  const MachineParts& parts_;
  const X25519Key& node_key_;
  IndexTable& indexes_;
  Agenda& agenda_;
  SavedPeer* saved_;
  std::optional<X25519Key> own_key_;  // of PeerConfig::initiator_private
  SecretKey initiating_static_;       // our initiator key with their responder key
  SecretKey answering_static_;        // our node key with their initiator key
  MessageStamper initiation_stamper_;
  MessageStamper response_stamper_;

  Activity activity_;
  Sessions sessions_;
  std::optional<Outgoing> outgoing_;
  Timestamp sent_timestamp_ = {};
  Timestamp received_timestamp_ = {};
  std::uint64_t attempt_since_ns_ = 0;  // first initiation of this attempt
  std::uint64_t initiation_sent_ns_ = 0;
  std::uint64_t retry_at_ns_ = 0;
  std::uint64_t answered_ns_ = 0;   // last initiation that we consumed
  std::uint64_t handshake_ns_ = 0;  // last completed handshake
  std::uint64_t keepalive_sent_ns_ = 0;
  bool renewed_for_receiving_ = false;  // the current session, shortly before its end
  std::uint64_t first_attempt_ns_ = 0;  // 0: we have not initiated yet
  Verdict verdict_ = Verdict::kUnknown;
  SessionLoss loss_ = SessionLoss::kNeverAnswered;
  std::uint64_t down_ns_ = 0;  // when the verdict became down, or a later sign of life was followed up
};

}  // namespace nsm
