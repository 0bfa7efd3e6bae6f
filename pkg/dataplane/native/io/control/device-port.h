// A tun or tap port. The holder owns the device; the engine has a copy of its descriptor.
#pragma once

#include "io/control/port.h"
#include "io/fd.h"
#include "io/features.h"
#include "io/tun-writer.h"

namespace nsm::io {

class DevicePort final : public Port {
 public:
  struct Parts {
    DataThreads threads;
    const Offloads& offloads;
  };
  static protocol::Status parse(protocol::View attributes, protocol::Fields& fields);

  DevicePort(const protocol::Fields& fields, Fd device, const Parts& parts);
  ~DevicePort() override;

  std::optional<protocol::Status> update(protocol::View attributes) override;
  void describe(protocol::MessageBuilder& reply) const override;
  std::optional<Device> device() noexcept override { return Device{&egress_, &ingress_}; }

 private:
  DataThreads threads_;
  Fd fd_;
  std::string ifname_;
  std::optional<std::uint32_t> ifindex_;
  std::optional<std::uint64_t> ns_dev_;
  std::optional<std::uint64_t> ns_ino_;
  EgressDevice egress_;
  TunWriter ingress_;
};

}  // namespace nsm::io
