// Attributes of ports and underlays as the types of the core. Each says what is
// wrong with a value that makes no sense.
#pragma once

#include "core/environment.h"
#include "core/inner-ip.h"
#include "pipeline/inner-rules.h"
#include "protocol/fields.h"

namespace nsm::io {

using protocol::Fields;
using protocol::Status;

// kPeerAddress and kPeerPort; both absent: not known.
Status read_peer_endpoint(const Fields& fields, Endpoint& endpoint);
void describe_prefixes(std::uint16_t attribute, const PrefixList& list, protocol::MessageBuilder& reply);
void describe_endpoint(const Endpoint& endpoint, protocol::MessageBuilder& reply);

// kLocalPrefix, kRemotePrefix, kMtuBytes.
Status read_rules(const Fields& fields, InnerRules& rules);

// 32 bytes; all zero when absent.
Key read_key(const Fields& fields, std::uint16_t attribute);

}  // namespace nsm::io
