import type { Peer } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { IdentitySource } from '../identity/index.ts'
import { isWorkloadOf } from '../policy/index.ts'

/**
 * For `serve`: an endpoint is called by the node of which it is a workload, and by nobody else. Every process of the
 * machine can open its socket, and what the node checks of a client it would pass by.
 */
export function onlyOwnNode(identity: IdentitySource): (peer: Peer) => void {
  return ({ spiffeId: caller }) => {
    if (isWorkloadOf(identity.current().svid.spiffeId, caller)) return
    throw new NsmError('permission_denied', 'Cannot call the endpoint: no sufficient privileges', {
      fields: { caller },
      next: 'request the network service at the node daemon of your own machine',
    })
  }
}
