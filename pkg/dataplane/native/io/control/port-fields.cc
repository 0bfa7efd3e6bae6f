#include "io/control/port-fields.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

namespace nsm::io {
namespace {

using namespace protocol;

Status add_prefix(View value, const char* name, PrefixList& list) {
  Prefix prefix;
  prefix.family = value[0] == AF_INET ? 4 : value[0] == AF_INET6 ? 6 : 0;
  prefix.length = value[1];
  const View address = value.subspan(2);
  const std::size_t address_bytes = prefix.family == 4 ? 4 : 16;
  if (prefix.family == 0 || address.size() != address_bytes) {
    return {EINVAL,
            std::string(name) + " is neither {AF_INET, length, 4 bytes} nor {AF_INET6, length, 16 bytes}"};
  }
  std::copy(address.begin(), address.end(), prefix.address.begin());
  if (list.add(prefix)) return {};
  return {EINVAL, std::string(name) + " is longer than an address, or there are more than " +
                      std::to_string(PrefixList::kMax)};
}

Status read_prefixes(const Fields& fields, std::uint16_t attribute, PrefixList& list) {
  Status status;
  fields.each(attribute, [&](View value) {
    if (status.ok()) status = add_prefix(value, attribute_name(attribute), list);
  });
  return status;
}

}  // namespace

Status read_peer_address(const Fields& fields, SocketAddress& peer) {
  if (!fields.has(kPeerAddress) && !fields.has(kPeerPort)) return {};
  if (Status status = fields.require({kPeerAddress, kPeerPort}); !status.ok()) return status;
  const View address = fields.bytes(kPeerAddress);
  if (address.size() != 4 && address.size() != 16)
    return {EINVAL, "peerAddress is neither 4 nor 16 bytes long"};
  peer.family = address.size() == 4 ? 4 : 6;
  peer.port = *fields.u16(kPeerPort);
  std::copy(address.begin(), address.end(), peer.address.begin());
  return {};
}

void describe_peer_address(const SocketAddress& peer, MessageBuilder& reply) {
  if (peer.known()) reply.bytes(kPeerAddress, peer.address_bytes()).u16(kPeerPort, peer.port);
}

void describe_prefixes(std::uint16_t attribute, const PrefixList& list, MessageBuilder& reply) {
  for (const Prefix& prefix : list.entries()) {
    std::array<std::uint8_t, 18> value = {prefix.family == 4 ? std::uint8_t{AF_INET} : std::uint8_t{AF_INET6},
                                          prefix.length};
    const std::size_t address_bytes = prefix.family == 4 ? 4 : 16;
    std::copy_n(prefix.address.begin(), address_bytes, value.begin() + 2);
    reply.bytes(attribute, View(value).first(2 + address_bytes));
  }
}

Status read_rules(const Fields& fields, InnerRules& rules) {
  if (Status status = read_prefixes(fields, kLocalPrefix, rules.local); !status.ok()) return status;
  if (Status status = read_prefixes(fields, kRemotePrefix, rules.remote); !status.ok()) return status;
  rules.mtu_bytes = fields.u32(kMtuBytes).value_or(kMaxMtuBytes);
  if (rules.mtu_bytes >= kMinMtuBytes && rules.mtu_bytes <= kMaxMtuBytes) return {};
  return {EINVAL, "mtuBytes " + std::to_string(rules.mtu_bytes) + " is not between " +
                      std::to_string(kMinMtuBytes) + " and " + std::to_string(kMaxMtuBytes)};
}

Key read_key(const Fields& fields, std::uint16_t attribute) {
  Key key{};
  const View value = fields.bytes(attribute);
  std::copy_n(value.begin(), std::min(value.size(), key.size()), key.begin());
  return key;
}

}  // namespace nsm::io
