// Third stage of egress for wireguard ports: segments become padded plaintexts and
// then data messages, sealed in place, a few at a time.
//
//   segment -> [length of the frame] -> padding -> data message -> sealed
#pragma once

#include <memory>

#include "core/framed.h"
#include "core/gso.h"
#include "core/keypair.h"
#include "core/messages.h"
#include "core/probe-message.h"
#include "pipeline/datagram-batch.h"
#include "pipeline/inner-rules.h"

namespace nsm {

// Owner: the egress thread. The sending key of one port.
class Sealer {
 public:
  // The most by which a datagram is longer than its segment.
  static constexpr std::size_t kMaxOverheadBytes = kFrameLengthBytes + kPaddingBytes + kDataOverheadBytes;

  // Replaces the key; null: there is none any more.
  void use_key(std::unique_ptr<SendKey> key) noexcept { key_ = std::move(key); }
  // Whether there is a key that lasts for a whole batch.
  bool has_usable_key(std::uint64_t now_ns) const noexcept {
    return key_ && key_->remaining(now_ns) >= DatagramBatch::kDatagrams;
  }
  // How many packets were sealed with the current key.
  std::uint64_t sealed() const noexcept { return key_ ? key_->next_counter : 0; }

  struct Into {
    DatagramBatch& batch;  // has room for the segment and kMaxOverheadBytes
    Payload payload;
    std::size_t max_bytes;  // padding does not make a plaintext longer than this
  };
  // Each of these appends one datagram. It is complete after finish().
  void add_segment(const GsoPacket& segments, std::size_t index, const Into& into) noexcept;
  void add_keepalive(DatagramBatch& batch) noexcept { append(0, 0, batch); }
  // `batch` has room for plaintext_bytes() and kMaxOverheadBytes.
  void add_probe_message(const ProbeMessage& message, DatagramBatch& batch) noexcept;
  // The length of its plaintext: a probe is as long as it states.
  static std::size_t plaintext_bytes(const ProbeMessage& message) noexcept {
    return message.kind == ProbeMessageKind::kProbe ? message.bytes : kProbeMessageBytes;
  }

  // Seals what is not sealed yet. The batch is then to be sent and reset.
  void finish(DatagramBatch& batch) noexcept;

 private:
  void append(std::size_t plain_bytes, std::size_t max_bytes, DatagramBatch& batch) noexcept;
  void seal(DatagramBatch& batch) noexcept;

  std::unique_ptr<SendKey> key_;
  std::size_t sealed_ = 0;  // of the batch's datagrams
};

}  // namespace nsm
