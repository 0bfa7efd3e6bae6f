// Carries rtnetlink messages into a namespace, and the kernel's answers back.
#pragma once

#include <functional>

#include "holder/namespaces.h"
#include "protocol/message.h"

namespace nsm::holder {

using protocol::Bytes;
using protocol::View;

class Rtnl {
 public:
  explicit Rtnl(const Namespaces& namespaces) : namespaces_(namespaces) {}

  // Sends the messages of `payload` one after the other and calls `emit` for every message
  // of the kernel's answers, up to the acknowledgement or the end of the dump. A refusal
  // by the kernel is an answer, too. The status says whether the kernel could be asked:
  // EINVAL: the payload is not a chain of messages; ETIMEDOUT: no answer within 5 s.
  Status exchange(Namespace& target, Bytes payload, const std::function<void(View message)>& emit);

  // The same in two parts, for requests that take long: one opens a socket of its own in the event
  // loop, the other may run in any thread.
  Status open(const Namespace& target, Fd& socket);
  static Status exchange_on(int socket, Bytes payload, const std::function<void(View message)>& emit);
  // Whether the payload has a request that takes long: the removal of a link.
  static bool is_slow(View payload);

  // Opens a socket in `target` that is a member of `groups` (bit n-1 = group n).
  Status subscribe(const Namespace& target, std::uint32_t groups, Fd& socket);

 private:
  const Namespaces& namespaces_;
};

// Splits a datagram of the kernel into messages; stops at the first malformed one.
void each_message(View datagram, const std::function<void(View message)>& visit);

inline constexpr std::size_t kMaxDatagramBytes = 256 * 1024;

}  // namespace nsm::holder
