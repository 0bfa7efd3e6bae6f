#include "pipeline/vxlan-ingress.h"

#include "core/ethernet.h"
#include "core/vxlan.h"

namespace nsm {

void VxlanIngress::deliver(Bytes frame, FlowJoiner& joiner) noexcept {
  if (frame.size() > kMaxLinkHeaderBytes + mtu_bytes) return counters.rx.add(Rx::malformed);
  counters.rx.add(Rx::packets);
  counters.rx.add(Rx::bytes, kVxlanHeaderBytes + frame.size());
  if (!device) return counters.rx.add(Rx::no_wire);
  joiner.add_frame(*device, frame);
}

}  // namespace nsm
