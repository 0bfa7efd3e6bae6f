#include "pipeline/sealer.h"

#include <algorithm>

namespace nsm {
namespace {

// Few enough to be in the first-level cache still when they are sealed.
constexpr std::size_t kSealedTogether = 12;

// Writes a segment as a plaintext and returns its length: an IP packet as it is, a frame with its length in
// front.
std::size_t write_plaintext(const GsoPacket& segments, std::size_t index, const Sealer::Into& into) noexcept {
  std::uint8_t* const out = into.batch.space() + kDataHeaderBytes;
  const std::size_t longest = segments.segment_bytes();
  if (into.payload == Payload::kIp) return segments.write(index, {out, longest});
  const std::size_t frame_bytes = segments.write(index, {out + kFrameLengthBytes, longest});
  write_frame_length(std::span<std::uint8_t, kFrameLengthBytes>(out, kFrameLengthBytes), frame_bytes);
  return kFrameLengthBytes + frame_bytes;
}

}  // namespace

void Sealer::add_segment(const GsoPacket& segments, std::size_t index, const Into& into) noexcept {
  append(write_plaintext(segments, index, into), into.max_bytes, into.batch);
}

void Sealer::add_probe_message(const ProbeMessage& message, DatagramBatch& batch) noexcept {
  const std::size_t bytes = plaintext_bytes(message);
  write_probe_message(message, {batch.space() + kDataHeaderBytes, bytes});
  batch.commit(bytes + kDataOverheadBytes);
}

// Makes a datagram of the plaintext that was written to its place in the batch.
void Sealer::append(std::size_t plain_bytes, std::size_t max_bytes, DatagramBatch& batch) noexcept {
  const std::size_t padded = padded_bytes(plain_bytes, max_bytes);
  std::fill_n(batch.space() + kDataHeaderBytes + plain_bytes, padded - plain_bytes, std::uint8_t{0});
  batch.commit(padded + kDataOverheadBytes);
  if (batch.datagrams().size() - sealed_ == kSealedTogether) seal(batch);
}

void Sealer::finish(DatagramBatch& batch) noexcept {
  seal(batch);
  sealed_ = 0;
}

void Sealer::seal(DatagramBatch& batch) noexcept {
  std::array<AeadJob, kSealedTogether> jobs;
  std::size_t count = 0;
  for (const Datagram& datagram : batch.datagrams().subspan(sealed_)) {
    const std::uint64_t counter = key_->next_counter++;
    write_data_header(std::span<std::uint8_t, kDataHeaderBytes>(datagram.data, kDataHeaderBytes),
                      {key_->remote_index, counter});
    const auto plain_bytes = static_cast<std::uint32_t>(datagram.bytes - kDataOverheadBytes);
    jobs[count++] = {datagram.data + kDataHeaderBytes, plain_bytes, counter, false};
  }
  key_->key->seal({jobs.data(), count});
  sealed_ += count;
}

}  // namespace nsm
