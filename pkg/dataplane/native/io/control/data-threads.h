// The ways from the control thread to both data threads.
#pragma once

#include "io/egress.h"
#include "io/ingress.h"

namespace nsm::io {

struct DataThreads {
  Channel<EgressCommand>& egress;
  Channel<IngressCommand>& ingress;

  // INVARIANT: before memory or a descriptor that commands named is given back.
  void settle() const noexcept {
    egress.settle();
    ingress.settle();
  }
};

}  // namespace nsm::io
