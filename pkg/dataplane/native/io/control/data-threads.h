// The channels from the control thread to the data threads.
#pragma once

#include "io/egress.h"
#include "io/ingress.h"

namespace nsm::io {

struct DataThreads {
  Channel<EgressCommand>& egress;
  Channel<IngressCommand>& ingress;

  // INVARIANT: to be called before memory or a descriptor that a command refers to is freed.
  void settle() const noexcept {
    egress.settle();
    ingress.settle();
  }
};

}  // namespace nsm::io
