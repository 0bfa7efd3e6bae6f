#include "pipeline/flow-joiner.h"

#include "core/ethernet.h"

namespace nsm {
namespace {

// All packets of a flow have the same hash. When two flows share one, fewer of their packets are joined.
std::size_t hash_flow(ConstBytes packet, const InnerIp& inner) noexcept {
  const std::size_t address_bytes = inner.family == 4 ? 4 : 16;
  std::uint32_t hash = load_le<std::uint32_t>(inner.source + address_bytes - 4) * 0x9e3779b1u;
  hash ^= load_le<std::uint32_t>(inner.destination + address_bytes - 4);
  if (!inner.fragment && packet.size() >= inner.header_bytes + 4) {
    hash = hash * 0x9e3779b1u ^ load_le<std::uint32_t>(packet.data() + inner.header_bytes);  // ports
  }
  return hash * 0x9e3779b1u >> 24;
}

}  // namespace

void FlowJoiner::add(IngressDevice& device, Bytes packet, const InnerIp& inner) noexcept {
  join(device, {packet, 0, device.takes_uso()}, hash_flow(packet, inner));
}

void FlowJoiner::add_frame(IngressDevice& device, Bytes frame) noexcept {
  const auto inner = parse_ethernet_ip(frame);
  if (!inner) return device.write(VnetHeader(), {&frame, 1});
  join(device, {frame, kEthernetBytes, device.takes_uso()}, hash_flow(frame.subspan(kEthernetBytes), *inner));
}

void FlowJoiner::join(IngressDevice& device, const GroPacket::Input& input, std::size_t flow_hash) noexcept {
  Flow& flow = flows_[flow_hash % kFlows];
  if (flow.device == &device && flow.packet.add(input)) return;
  write(flow);
  flow.device = &device;
  flow.packet.add(input);
}

void FlowJoiner::flush() noexcept {
  for (Flow& flow : flows_) write(flow);
}

void FlowJoiner::write(Flow& flow) noexcept {
  if (flow.packet.empty()) return;
  const VnetHeader& header = flow.packet.finish();
  flow.device->write(header, flow.packet.pieces());
  flow.packet.reset();
}

}  // namespace nsm
