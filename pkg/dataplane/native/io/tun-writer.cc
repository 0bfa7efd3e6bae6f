#include "io/tun-writer.h"

#include <sys/uio.h>

#include "core/ethernet.h"

namespace nsm::io {
namespace {

// Packets of one flow have one hash; that others may share it costs only joins.
std::size_t hash_flow(ConstBytes packet, const InnerIp& inner) noexcept {
  const std::size_t address_bytes = inner.family == 4 ? 4 : 16;
  std::uint32_t hash = load_le<std::uint32_t>(inner.source + address_bytes - 4) * 0x9e3779b1u;
  hash ^= load_le<std::uint32_t>(inner.destination + address_bytes - 4);
  if (!inner.fragment && packet.size() >= inner.header_bytes + 4) {
    hash = hash * 0x9e3779b1u ^ load_le<std::uint32_t>(packet.data() + inner.header_bytes);  // ports
  }
  return hash * 0x9e3779b1u >> 24;
}

void count_write(IngressDevice& device, ssize_t written, std::size_t packets) noexcept {
  if (written < 0) return device.counters->tx.add(Tx::refused, packets);
  device.counters->tx.add(Tx::packets, packets);
  device.counters->tx.add(Tx::bytes, static_cast<std::size_t>(written) - kVnetHeaderBytes);
}

iovec part_of(const void* data, std::size_t bytes) noexcept { return {const_cast<void*>(data), bytes}; }

void write_frame(IngressDevice& device, ConstBytes frame) noexcept {
  const VnetHeader header;
  const iovec parts[] = {part_of(&header, sizeof header), part_of(frame.data(), frame.size())};
  count_write(device, writev(device.fd, parts, 2), 1);
}

}  // namespace

void TunWriter::add(IngressDevice& device, Bytes packet, const InnerIp& inner) noexcept {
  join(device, {packet, 0, device.uso}, hash_flow(packet, inner));
}

void TunWriter::add_frame(IngressDevice& device, Bytes frame) noexcept {
  const auto inner = parse_ethernet_ip(frame);
  if (!inner) return write_frame(device, frame);
  join(device, {frame, kEthernetBytes, device.uso}, hash_flow(frame.subspan(kEthernetBytes), *inner));
}

void TunWriter::join(IngressDevice& device, const GroPacket::Input& input, std::size_t flow_hash) noexcept {
  Flow& flow = flows_[flow_hash % kFlows];
  if (flow.device == &device && flow.packet.add(input)) return;
  write(flow);
  flow.device = &device;
  flow.packet.add(input);
}

void TunWriter::flush() noexcept {
  for (Flow& flow : flows_) write(flow);
}

void TunWriter::write(Flow& flow) noexcept {
  if (flow.packet.empty()) return;
  const VnetHeader& header = flow.packet.finish();
  std::array<iovec, 1 + GroPacket::kMaxPieces> parts;
  parts[0] = part_of(&header, sizeof header);
  std::size_t count = 1;
  for (const Bytes piece : flow.packet.pieces()) parts[count++] = part_of(piece.data(), piece.size());
  count_write(*flow.device, writev(flow.device->fd, parts.data(), static_cast<int>(count)), count - 1);
  flow.packet.reset();
}

}  // namespace nsm::io
