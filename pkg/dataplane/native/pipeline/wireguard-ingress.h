// A wireguard port as the ingress thread sees it.
#pragma once

#include <atomic>
#include <memory>

#include "core/activity.h"
#include "core/probe-rate-limit.h"
#include "pipeline/ingress-port.h"
#include "pipeline/inner-rules.h"

namespace nsm {

class WireguardIngress final : public IngressPort {
 public:
  using IngressPort::IngressPort;

  // `plaintext` is authentic, new, and neither a keepalive nor a probe message.
  void deliver(Bytes plaintext, FlowJoiner& joiner) noexcept override;

  std::uint64_t tag = 0;       // names the port in notes
  std::uint32_t underlay = 0;  // its number, in notes
  Activity* activity = nullptr;
  std::atomic<bool>* hold = nullptr;  // see WireguardEgress::Parts
  std::unique_ptr<InnerRules> rules;
  const std::atomic<std::uint32_t>* path_mtu = nullptr;  // see WireguardEgress::Parts
  SocketAddress endpoint;                                // where the latest packet came from
  bool roaming = false;                                  // the control thread is told when that changes
  ProbeRateLimit probe_messages;

 private:
  void deliver_packet(Bytes packet, FlowJoiner& joiner) noexcept;
  void deliver_frame(Bytes plaintext, FlowJoiner& joiner) noexcept;
};

}  // namespace nsm
