#include "io/control/counters-reply.h"

namespace nsm::io {
namespace {

using namespace protocol;

void add_counter(MessageBuilder& reply, std::string_view name, std::uint64_t value) {
  reply.begin(kCounter).text(kCounterName, name).u64(kCounterValue, value).end();
}

}  // namespace

MessageBuilder counters_reply(MessageBuilder reply, std::string_view id, const Counters& counters) {
  reply.text(kId, id);
  for (std::size_t i = 0; i < kRxNames.size(); i++) add_counter(reply, kRxNames[i], counters.rx.at(i));
  for (std::size_t i = 0; i < kTxNames.size(); i++) add_counter(reply, kTxNames[i], counters.tx.at(i));
  return reply;
}

MessageBuilder engine_counters_reply(MessageBuilder reply, const Counters& counters, Underlays& underlays) {
  reply = counters_reply(std::move(reply), kEngineCountersId, counters);
  for (std::size_t i = 0; i < kHandledKinds; i++) {
    const auto kind = static_cast<Handled>(i);
    std::uint64_t sum = 0;
    underlays.each_node([&](const WireguardNode& node) { sum += node.handled(kind); });
    add_counter(reply, counter_name(kind), sum);
  }
  return reply;
}

}  // namespace nsm::io
