import type { Attestation } from '../services.ts'

/** A process of user 1000 in a network namespace of its own. */
export function attestationOf(change: Partial<Attestation> = {}): Attestation {
  const { uid = 1000 } = change
  return {
    connectionId: 1n,
    pid: 7,
    uid,
    gid: uid,
    namespace: 'inode://4/101',
    pidNamespace: 4_026_531_836n,
    userNamespace: 4_026_531_837n,
    mountNamespace: 4_026_531_841n,
    cgroup: '',
    pod: '',
    account: `uid/${uid}`,
    isNodesOwn: false,
    ...change,
  }
}
