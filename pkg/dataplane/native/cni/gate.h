// The conversation with nsmd, through the holder's socket: one kPodAdd or kPodDel, and one answer.
#pragma once

#include "cni/call.h"
#include "cni/clock.h"

namespace nsm::cni {

enum class Verb { kAdd, kDel };

// Says that the pod's sandbox starts or ends. Nothing: nsmd has answered with success. The fault's text is
// nsmd's own sentence if it has refused; it stays valid until the next call.
std::optional<Fault> tell(Verb verb, const Pod& pod, const Configuration& configuration,
                          const Deadline& deadline);

}  // namespace nsm::cni
