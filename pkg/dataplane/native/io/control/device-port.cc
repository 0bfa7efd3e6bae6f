#include "io/control/device-port.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include "io/control/port-kinds.h"

// Linux 6.2; newer than Debian 12's headers.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

namespace nsm::io {
namespace {

using namespace protocol;

// The holder has set the same offloads. Setting them again shows whether the kernel supports USO.
bool has_uso(const Fd& device, const Offloads& offloads) noexcept {
  constexpr unsigned kUso = TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6;
  constexpr unsigned kTso = TUN_F_TSO4 | TUN_F_TSO6;
  return offloads.tun_uso && ioctl(device.get(), TUNSETOFFLOAD, offloads.tun_tso ? kUso | kTso : kUso) == 0;
}

}  // namespace

Status DevicePort::parse(View attributes, Fields& fields) {
  Status status = fields.parse(attributes, {kId, kKind, kNsDev, kNsIno, kIfname, kIfindex, kMtuBytes});
  return status.ok() ? fields.require({kId, kIfname}) : status;
}

DevicePort::DevicePort(const Fields& fields, Fd device, const Parts& parts)
    : Port(fields.text(kId), static_cast<PortKind>(*fields.u8(kKind))),
      threads_(parts.threads),
      fd_(std::move(device)),
      ifname_(fields.text(kIfname)),
      ifindex_(fields.u32(kIfindex)),
      ns_dev_(fields.u64(kNsDev)),
      ns_ino_(fields.u64(kNsIno)),
      egress_(fd_.get(), counters_),
      ingress_(fd_.get(), counters_, has_uso(fd_, parts.offloads)) {}

DevicePort::~DevicePort() {
  threads_.egress.post(ForgetDevice{&egress_});
  threads_.settle();
}

Status check_device_port(View attributes) {
  Fields fields;
  return DevicePort::parse(attributes, fields);
}

Status make_device_port(View attributes, Fd device, const PortParts& parts, MadePort& made) {
  Fields fields;
  if (Status status = DevicePort::parse(attributes, fields); !status.ok()) return status;
  if (!device)
    return {EBADF,
            "the message for port " + std::string(fields.text(kId)) + " carries no descriptor of a device"};
  made = std::make_unique<DevicePort>(fields, std::move(device), parts.devices);
  return {};
}

// While an id stands for the same interface, the holder keeps its device.
std::optional<Status> DevicePort::update(View attributes) {
  Fields fields;
  if (Status status = parse(attributes, fields); !status.ok()) return status;
  if (fields.text(kIfname) == ifname_ && fields.u32(kIfindex) == ifindex_) return Status{};
  return std::nullopt;
}

void DevicePort::describe(MessageBuilder& reply) const {
  reply.text(kIfname, ifname_);
  if (ns_dev_ && ns_ino_) reply.u64(kNsDev, *ns_dev_).u64(kNsIno, *ns_ino_);
  if (ifindex_) reply.u32(kIfindex, *ifindex_);
}

}  // namespace nsm::io
