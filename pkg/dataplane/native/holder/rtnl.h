// Carries rtnetlink messages into a namespace and what the kernel answers back.
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

  // Sends each message of `payload` in turn and hands every message that the
  // kernel answers with to `emit`, up to the acknowledgement or the end of the
  // dump. What the kernel refuses is an answer; the status says whether it could
  // be asked: EINVAL for a payload that is no chain of messages, ETIMEDOUT after 5 s.
  Status exchange(Namespace& target, Bytes payload, const std::function<void(View message)>& emit);

  // A socket in `target` that receives what is said to `groups` (bit n-1 = group n).
  Status subscribe(const Namespace& target, std::uint32_t groups, Fd& socket);

 private:
  Status open(const Namespace& target, Fd& socket);

  const Namespaces& namespaces_;
};

// Cuts a datagram of the kernel into messages; stops at the first malformed one.
void each_message(View datagram, const std::function<void(View message)>& visit);

inline constexpr std::size_t kMaxDatagramBytes = 256 * 1024;

}  // namespace nsm::holder
