// Replies to kCountersGet.
#pragma once

#include "io/control/underlays.h"
#include "pipeline/counters.h"

namespace nsm::io {

inline constexpr std::string_view kEngineCountersId = "engine";  // for what belongs to no port

protocol::MessageBuilder counters_reply(protocol::MessageBuilder reply, std::string_view id,
                                        const Counters& counters);

// Includes the outcomes of handshake messages.
protocol::MessageBuilder engine_counters_reply(protocol::MessageBuilder reply, const Counters& counters,
                                               Underlays& underlays);

}  // namespace nsm::io
