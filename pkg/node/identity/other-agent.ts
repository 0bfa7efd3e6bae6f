import { NsmError } from '../../base/index.ts'
import type { WorkloadIdentities } from '../../rpc/index.ts'

/** The node's own Workload API where another agent, at `url`, gives the identities. */
export function otherAgent(url: string): WorkloadIdentities {
  return {
    // biome-ignore lint/correctness/useYield: it always refuses
    async *watch() {
      throw new NsmError('failed_precondition', 'Cannot give an identity: another agent does on this node', {
        next: `set SPIFFE_ENDPOINT_SOCKET=${url}`,
      })
    },
  }
}
