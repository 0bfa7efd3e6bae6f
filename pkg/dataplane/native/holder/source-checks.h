// Checks of the sources of IPv6 packets, for which Linux has no rp_filter. A namespace gets one
// fixed table of nf_tables, and a link takes part by its group, so that the check ends with the
// link and no one can ask the holder for any other rule.
//
//   table ip6 nsmesh {
//     chain sources {
//       type filter hook prerouting priority raw;
//       iifgroup 0x6e736d fib saddr . iif oif missing drop
//     }
//   }
#pragma once

#include "holder/namespaces.h"

namespace nsm::holder {

// Adds the table to `target`, unless it is there. EOPNOTSUPP: the kernel lacks a part of nf_tables.
Status add_source_checks(const Namespaces& namespaces, const Namespace& target);

// Has the kernel check the table without adding it.
bool can_check_sources(const Namespaces& namespaces);

}  // namespace nsm::holder
