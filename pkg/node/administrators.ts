import type { Peer } from '../api/index.ts'

/**
 * Whether a caller may see and end everything on this node: one of `uids`, or the daemon's own user, in a process of the
 * node itself. Root in a container is nobody special.
 */
export function administrators(uids: readonly number[]): (peer: Peer) => boolean {
  const own = process.getuid?.()
  return ({ attestation }) =>
    attestation?.isNodesOwn === true && (attestation.uid === own || uids.includes(attestation.uid))
}
