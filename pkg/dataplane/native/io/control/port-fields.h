// Converts attributes of ports and underlays to the core's types. Each function says
// what is wrong with an invalid value.
#pragma once

#include "core/environment.h"
#include "core/inner-ip.h"
#include "pipeline/inner-rules.h"
#include "protocol/fields.h"

namespace nsm::io {

using protocol::Fields;
using protocol::Status;

// kPeerAddress and kPeerPort. When both are absent, `peer` stays unknown.
Status read_peer_address(const Fields& fields, SocketAddress& peer);
void describe_prefixes(std::uint16_t attribute, const PrefixList& list, protocol::MessageBuilder& reply);
void describe_peer_address(const SocketAddress& peer, protocol::MessageBuilder& reply);

// kLocalPrefix, kRemotePrefix, kMtuBytes.
Status read_rules(const Fields& fields, InnerRules& rules);

// All zero when the attribute is absent.
Key read_key(const Fields& fields, std::uint16_t attribute);

}  // namespace nsm::io
