#include "io/tun-writer.h"

#include <sys/uio.h>

#include <array>

#include "core/gro.h"

namespace nsm::io {
namespace {

iovec part_of(const void* data, std::size_t bytes) noexcept { return {const_cast<void*>(data), bytes}; }

}  // namespace

void TunWriter::write(const VnetHeader& header, std::span<const Bytes> pieces) noexcept {
  std::array<iovec, 1 + GroPacket::kMaxPieces> parts;
  parts[0] = part_of(&header, sizeof header);
  std::size_t count = 1;
  for (const Bytes piece : pieces) parts[count++] = part_of(piece.data(), piece.size());
  const ssize_t written = writev(fd_, parts.data(), static_cast<int>(count));
  if (written < 0) return counters_.tx.add(Tx::refused, pieces.size());
  counters_.tx.add(Tx::packets, pieces.size());
  counters_.tx.add(Tx::bytes, static_cast<std::size_t>(written) - kVnetHeaderBytes);
}

}  // namespace nsm::io
